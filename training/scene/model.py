"""diffusers' CogVideoXTransformer3DModel over several shots: segment-level condition, and masks without a matrix.

The modules and their state are diffusers'; only the way through them is here, since theirs has one timestep and no mask. Checked
against training/fixtures/make_transformer.py by `python model.py`.

Source: diffusers 0.42.1; Qi et al., Mask²DiT; Sources/Diffusion/Transformer.
"""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel
from diffusers.models.embeddings import get_3d_rotary_pos_embed
from diffusers.pipelines.cogvideo.pipeline_cogvideox import get_resize_crop_region_for_grid

from masks import Mask, Segment


def transformer(config):
    """config: the fields of "transformer" in config.json."""
    model = CogVideoXTransformer3DModel(**config)
    # As DiT has it: gates and the last layer begin at zero, so that a block begins as the identity.
    for block in model.transformer_blocks:
        for norm in (block.norm1, block.norm2):
            torch.nn.init.zeros_(norm.linear.weight)
            torch.nn.init.zeros_(norm.linear.bias)
    for linear in (model.norm_out.linear, model.proj_out):
        torch.nn.init.zeros_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
    locate(model)
    return model


@torch.no_grad()
def locate(model):
    """Lets heads begin by looking at their own place in all frames, from where copying is soon learnt.

    A constant part of queries and keys, turned by their positions, gives q · k = Σ b² cos(ω (p − p')): a bump at the same place.
    Of four heads the first sees its place in all frames, the second its place and time, the third so more widely, the last is free.
    """
    c = model.config
    size = c.attention_head_dim
    time, space = size // 4, size // 8 * 3
    starts = {"time": 0, "row": time, "column": time + space}  # of each axis' pairs, the quickest first
    for block in model.transformer_blocks:
        for head in range(c.num_attention_heads):
            axes, height = {0: (("row", "column"), 3.2), 1: (("time", "row", "column"), 3.0), 2: (("row", "column"), 1.6)}.get(head % 4, ((), 0))
            for axis in axes:
                for pair in range(2):
                    at = head * size + starts[axis] + 2 * pair
                    for linear in (block.attn1.to_q, block.attn1.to_k):
                        linear.bias[at] = height


def scheduler(snr_shift_scale=1.0):
    return CogVideoXDDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, prediction_type="v_prediction", rescale_betas_zero_snr=True,
        snr_shift_scale=snr_shift_scale, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True)


def rotary(model, frames, height, width):
    """cos, sin [frames · rows · columns, head] of latents of this size, as CogVideoXPipeline makes them."""
    c = model.config
    grid = height // c.patch_size, width // c.patch_size
    base = c.sample_height // c.patch_size, c.sample_width // c.patch_size
    return get_3d_rotary_pos_embed(c.attention_head_dim, get_resize_crop_region_for_grid(grid, base[1], base[0]), grid, frames)


def rotate(x, cosine, sine):
    """Turns pairs of neighbours of x [B, heads, N, d] by the angles of [N, d]."""
    pairs = x.unflatten(-1, (-1, 2))
    turned = torch.stack([-pairs[..., 1], pairs[..., 0]], dim=-1).flatten(-2)
    return x * cosine + turned * sine


def forward(model, latents, texts, text_mask, times, segments, mask, frame_base=0):
    """Predictions for all segments.

    latents [B, S, F, C, H, W]; texts [B, S, L, E], padded, text_mask [B, S, L] true for tokens that are there; times [B, S];
    segments: S of masks.Segment; mask: masks.Mask; frame_base: position of the first frame. Returns as latents.
    """
    c = model.config
    B, S, frames, _, height, width = latents.shape
    L, heads, D = texts.shape[2], c.num_attention_heads, c.num_attention_heads * c.attention_head_dim
    per_frame = (height // c.patch_size) * (width // c.patch_size)
    V = frames * per_frame
    embed = model.patch_embed
    text = embed.text_proj(texts)  # [B, S, L, D]
    video = embed.proj(latents.flatten(0, 2)).flatten(2).transpose(1, 2).reshape(B, S, V, D)

    cosine, sine = rotary(model, frame_base + frames * (1 + max(s.shot for s in segments)), height, width)
    rows = torch.cat([torch.arange(V) + (frame_base + s.shot * frames) * per_frame for s in segments])
    cosine, sine = cosine[rows].to(video), sine[rows].to(video)

    emb = F.silu(model.time_embedding(model.time_proj(times.flatten()).to(video.dtype))).view(B, S, 1, -1)
    bias = torch.zeros(B, S, L, dtype=video.dtype).masked_fill(~text_mask, float("-inf"))
    padded = not bool(text_mask.all())

    def token_range(part):
        if part.is_text:
            return part.segment * L, part.segment * L + L
        start = S * L + part.segment * V
        return start + part.frames[0] * per_frame, start + part.frames[1] * per_frame

    plans = {}

    def attention_plan(layer):
        """Pieces of the sequence: queries, keys, and the bias of the keys."""
        key = layer if mask.name == "cinetrans" else 0
        if key not in plans:
            plan = []
            for queries, keys in mask.plan(segments, layer):
                of_keys = torch.cat([bias[:, k.segment] if k.is_text else bias.new_zeros(B, token_range(k)[1] - token_range(k)[0]) for k in keys], dim=1)
                needs = padded and any(k.is_text for k in keys)
                plan.append((merged([token_range(q) for q in queries]), merged([token_range(k) for k in keys]), of_keys[:, None, None] if needs else None))
            plans[key] = plan
        return plans[key]

    def attend(q, k, v, layer):
        outputs = []
        for queries, keys, of_keys in attention_plan(layer):
            out = Attention.apply(pick(q, queries), pick(k, keys), pick(v, keys), None if of_keys is None else of_keys.to(q.dtype))
            at = 0
            for a, b in queries:
                outputs.append((a, out[:, :, at:at + b - a]))
                at += b - a
        return torch.cat([o for _, o in sorted(outputs, key=lambda o: o[0])], dim=2)

    for layer, block in enumerate(model.transformer_blocks):
        shift, scale, gate, t_shift, t_scale, t_gate = block.norm1.linear(emb).chunk(6, dim=-1)
        x = torch.cat([
            (block.norm1.norm(text) * (1 + t_scale) + t_shift).flatten(1, 2), (block.norm1.norm(video) * (1 + scale) + shift).flatten(1, 2)], dim=1)
        attention = block.attn1
        q, k, v = (p(x).view(B, -1, heads, D // heads).transpose(1, 2) for p in (attention.to_q, attention.to_k, attention.to_v))
        q, k = attention.norm_q(q).to(v.dtype), attention.norm_k(k).to(v.dtype)
        q, k = (torch.cat([y[:, :, :S * L], rotate(y[:, :, S * L:], cosine, sine).to(v.dtype)], dim=2) for y in (q, k))
        seen = attention.to_out[0](attend(q, k, v, layer).transpose(1, 2).flatten(2))
        text = text + t_gate * seen[:, :S * L].view(B, S, L, D)
        video = video + gate * seen[:, S * L:].view(B, S, V, D)
        shift, scale, gate, t_shift, t_scale, t_gate = block.norm2.linear(emb).chunk(6, dim=-1)
        x = torch.cat([
            (block.norm2.norm(text) * (1 + t_scale) + t_shift).flatten(1, 2), (block.norm2.norm(video) * (1 + scale) + shift).flatten(1, 2)], dim=1)
        x = block.ff(x)
        text = text + t_gate * x[:, :S * L].view(B, S, L, D)
        video = video + gate * x[:, S * L:].view(B, S, V, D)
    shift, scale = model.norm_out.linear(emb).chunk(2, dim=-1)
    video = model.proj_out(model.norm_out.norm(model.norm_final(video)) * (1 + scale) + shift)
    p = c.patch_size
    video = video.view(B, S, frames, height // p, width // p, -1, p, p).permute(0, 1, 2, 5, 3, 6, 4, 7)
    return video.reshape(B, S, frames, -1, height, width)


class Attention(torch.autograd.Function):
    """softmax(q kᵀ / √d + bias) v of [B, heads, N, d], keeping the probabilities: on a CPU in bfloat16 a third faster than the fused one."""

    @staticmethod
    def forward(ctx, q, k, v, bias):
        q = q * q.shape[-1] ** -0.5
        scores = torch.matmul(q, k.transpose(-1, -2))
        if bias is not None:
            scores += bias
        weights = torch.softmax(scores, dim=-1)
        ctx.save_for_backward(q, k, v, weights)
        return torch.matmul(weights, v)

    @staticmethod
    def backward(ctx, out):
        q, k, v, weights = ctx.saved_tensors
        of_scores = torch._softmax_backward_data(torch.matmul(out, v.transpose(-1, -2)), weights, -1, weights.dtype)
        return (
            torch.matmul(of_scores, k) * q.shape[-1] ** -0.5, torch.matmul(of_scores.transpose(-1, -2), q), torch.matmul(weights.transpose(-1, -2), out), None)


def merged(ranges):
    """Ranges in order, neighbours in one."""
    result = []
    for a, b in sorted(ranges):
        if result and result[-1][1] == a:
            result[-1] = (result[-1][0], b)
        else:
            result.append((a, b))
    return result


def pick(x, ranges):
    if len(ranges) == 1:
        return x[:, :, ranges[0][0]:ranges[0][1]]
    return torch.cat([x[:, :, a:b] for a, b in ranges], dim=2)


@torch.no_grad()
def check():
    """This file's way through the model against that of the fixtures, which is checked against diffusers' own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))
    import make_transformer as reference
    torch.set_grad_enabled(False)
    model = CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=4, time_embed_dim=16, text_embed_dim=24, num_layers=3,
        sample_width=8, sample_height=6, sample_frames=9, max_text_seq_length=5, use_rotary_positional_embeddings=True).eval()
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.copy_(torch.randn(parameter.shape) * 0.3)
    latents, texts = torch.randn(1, 3, 2, 4, 6, 8), torch.randn(1, 3, 5, 24)
    lengths = [5, 3, 2]
    text_mask = torch.arange(5) < torch.tensor(lengths)[None, :, None]
    segments = [Segment(0), Segment(1), Segment(2)]
    rules = {v: reference.mask2dit(v) for v in ("v1", "v2", "v3", "v4", "v5")} | {"causal": reference.causal, "cinetrans": reference.cinetrans(True, 3)}
    for name, rule in rules.items():
        dense = reference.mask_of(rule, lengths, [2] * 3, 12)
        wanted = reference.dense(
            model, latents[0].flatten(0, 1), [texts[0, i, :n] for i, n in enumerate(lengths)], [0, 0, 700], [0] * 4 + [700] * 2,
            lambda layer: dense if name != "cinetrans" or layer == 1 else None)
        got = forward(model, latents, texts, text_mask, torch.tensor([[0, 0, 700]]), segments, Mask(name, 2, (1, 1)))[0].flatten(0, 1)
        difference = (got - wanted).abs().max() / wanted.abs().max()
        assert difference < 1e-4, (name, difference)
        print(name, f"{difference:.1e}")


if __name__ == "__main__":
    check()
