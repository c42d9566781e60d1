"""Times PyTorch and diffusers at what the diffusion engine is measured at; runs in a Python that has both.

  peers_diffusion.py block|step|decode float32|bfloat16   prints one line of JSON
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(2)
torch.set_grad_enabled(False)


def best(work, runs):
    times = []
    for _ in range(runs + 1):
        start = time.monotonic()
        work()
        times.append(time.monotonic() - start)
    return min(times[1:])


def block(dtype):
    """A block of CogVideoX-2B over 226 tokens of text and 17,550 of video, with PyTorch's fused attention."""
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXBlock

    network = CogVideoXBlock(1920, 30, 64, 512, attention_bias=True).to(dtype).eval()
    video, text, time_embedding = (torch.randn(1, *shape).to(dtype) for shape in ((17550, 1920), (226, 1920), (512,)))
    return best(lambda: network(video, text, time_embedding), 1)


def step(dtype):
    """Twelve blocks of width 384 over 256 tokens that also see 1,024 kept keys and values a layer."""
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXBlock

    blocks = [CogVideoXBlock(384, 6, 64, 512, attention_bias=True).to(dtype).eval() for _ in range(12)]
    kept = [torch.randn(2, 1, 6, 1024, 64).to(dtype) for _ in blocks]
    tokens, time_embedding = torch.randn(1, 256, 384).to(dtype), torch.randn(1, 512).to(dtype)

    def run():
        x = tokens
        for network, (keys, values) in zip(blocks, kept):
            shift, scale, gate = network.norm1.linear(F.silu(time_embedding))[:, None].chunk(6, dim=2)[:3]
            normal = network.norm1.norm(x) * (1 + scale) + shift
            attention = network.attn1
            q, k, v = (part(normal).unflatten(2, (6, 64)).transpose(1, 2) for part in (attention.to_q, attention.to_k, attention.to_v))
            k, v = torch.cat([attention.norm_k(k), keys], 2), torch.cat([v, values], 2)
            seen = F.scaled_dot_product_attention(attention.norm_q(q), k, v).transpose(1, 2).flatten(2)
            x = x + gate * attention.to_out[0](seen)
            shift, scale, gate = network.norm2.linear(F.silu(time_embedding))[:, None].chunk(6, dim=2)[:3]
            x = x + gate * network.ff(network.norm2.norm(x) * (1 + scale) + shift)

    return best(run, 20)


def decode(dtype):
    """Three latents of 15 × 22 to nine frames of 120 × 176, at CogVideoX's width."""
    from diffusers import AutoencoderKLCogVideoX

    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(128, 256, 256, 512), latent_channels=16, layers_per_block=3).to(dtype).eval()
    latents = torch.randn(1, 16, 3, 15, 22).to(dtype)
    return best(lambda: vae.decode(latents), 1)


part, precision = sys.argv[1:]
print(json.dumps(dict(part=part, type=precision, seconds={"block": block, "step": step, "decode": decode}[part](getattr(torch, precision)),
                      version=torch.__version__)))
