"""Which parts of a sequence see which: the masks of the engine, Sources/Diffusion/Masks, as groups of tokens.

A sequence is `[text 0, text 1, …; video 0, video 1, …]`. A segment is a shot's text and its video. In training the same shot may
be there more than once, with other noise or clean: segments then have the same `shot`, and another `copy`.
"""
from dataclasses import dataclass

MASK2DIT = ("v1", "v2", "v3", "v4", "v5")


@dataclass(frozen=True)
class Segment:
    """shot: its place in the video. copy: 0 for the one that others see as context; copies see themselves only."""
    shot: int
    copy: int = 0


@dataclass(frozen=True)
class Part:
    """Neighbouring tokens: the text of a segment or some frames of its video, frames[0] ≤ frame < frames[1]."""
    segment: int
    is_text: bool
    frames: tuple = (0, 0)


def parts(segments, frames, splits_first=False):
    """All parts in the sequence's order; `splits_first`: the first frame of the first segment is one by itself."""
    result = [Part(i, True) for i in range(len(segments))]
    for i in range(len(segments)):
        if i == 0 and splits_first:
            result += [Part(0, False, (0, 1)), Part(0, False, (1, frames))]
        else:
            result.append(Part(i, False, (0, frames)))
    return result


def mask2dit(variant):
    """Qi et al., Mask²DiT, table 2; text↔text in V4 is this project's reading."""
    def sees(query, key, q, k):
        if query.segment == key.segment:
            return True
        if query.is_text and key.is_text:
            return variant in ("v3", "v5")
        if not query.is_text and not key.is_text:
            return variant != "v1"
        return variant in ("v4", "v5")
    return sees


def segment_causal(query, key, q, k):
    """V2 in which a video sees its own segment and the shots before it, as they are in their first copy."""
    if query.segment == key.segment:
        return True
    return not query.is_text and not key.is_text and k.copy == 0 and k.shot < q.shot


def cinetrans(first_frame):
    """Wu et al., CineTrans, section 4: within shots, and the first latent frame of all if `first_frame`."""
    def sees(query, key, q, k):
        if query.segment == key.segment:
            return True
        return not query.is_text and not key.is_text and first_frame and key.segment == 0 and key.frames == (0, 1)
    return sees


class Mask:
    """A mask by its name: "v1" … "v5", "causal", or "cinetrans" with the masked layers and whether the first frame is visible.

    `frames`: latent frames a shot.
    """

    def __init__(self, name, frames, layers=(0, 0), first_frame=True):
        self.name, self.frames, self.layers = name, frames, layers
        self.splits_first = name == "cinetrans" and first_frame and frames > 1
        self.rule = {"causal": segment_causal, "cinetrans": cinetrans(first_frame)}.get(name) or mask2dit(name)
        if name not in ("causal", "cinetrans", *MASK2DIT):
            raise ValueError(f"no mask is called {name}")

    def plan(self, segments, layer):
        """[(query parts, key parts)]: parts with the same keys together, so that no mask of tokens × tokens is needed."""
        every = parts(segments, self.frames, self.splits_first)
        rule = self.rule
        if self.name == "cinetrans" and not self.layers[0] <= layer <= self.layers[1]:
            rule = mask2dit("v5")
        result = []
        for query in every:
            keys = [key for key in every if rule(query, key, segments[query.segment], segments[key.segment])]
            for queries, seen in result:
                if seen == keys:
                    queries.append(query)
                    break
            else:
                result.append(([query], keys))
        return result
