"""MiniLM's token embeddings: what the transformer sees of a prompt, as Sources/Diffusion/Pipeline/PromptEncoder has it."""
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertModel

DEFAULT = Path(__file__).resolve().parents[2] / "models" / "all-MiniLM-L6-v2"


class Texts:
    """
    folder: all-MiniLM-L6-v2, of launch/fetch-text-encoder.
    maximum: tokens a prompt, with [CLS] and [SEP]; longer ones are cut.
    """

    def __init__(self, folder=DEFAULT, maximum=24, kept=20000):
        self.tokenizer = BertWordPieceTokenizer(str(Path(folder) / "vocab.txt"), lowercase=True)
        self.tokenizer.enable_truncation(maximum)
        self.model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval().requires_grad_(False)
        self.known, self.kept = {}, kept

    @torch.no_grad()
    def embed(self, prompt):
        """[tokens, 384]"""
        if prompt not in self.known:
            if len(self.known) >= self.kept:
                self.known.clear()
            ids = torch.tensor([self.tokenizer.encode(prompt).ids])
            self.known[prompt] = self.model(input_ids=ids).last_hidden_state[0]
        return self.known[prompt]

    def batch(self, prompts):
        """[B][S] prompts → [B, S, L, 384], and which of them are there [B, S, L]."""
        rows = [[self.embed(p) for p in sample] for sample in prompts]
        longest = max(len(r) for sample in rows for r in sample)
        result = torch.zeros(len(rows), len(rows[0]), longest, rows[0][0].shape[-1])
        mask = torch.zeros(len(rows), len(rows[0]), longest, dtype=torch.bool)
        for i, sample in enumerate(rows):
            for j, row in enumerate(sample):
                result[i, j, :len(row)], mask[i, j, :len(row)] = row, True
        return result, mask
