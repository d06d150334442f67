#!/usr/bin/env python3
"""Draw assets/icon.png (256x256): a lens over coloured dots. Needs Pillow."""
import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

S = 4                      # supersampling
N = 256 * S
COLOURS = [(240, 114, 98), (247, 183, 76), (84, 190, 150), (88, 156, 236), (170, 126, 230)]


def rounded(size, radius, fill):
    im = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    ImageDraw.Draw(im).rounded_rectangle((0, 0, size - 1, size - 1), radius, fill=fill)
    return im


GROUPS = [  # (colour, centre x, y, spread, dots)
    (0, 46, 54, 15, 14), (1, 206, 50, 17, 16), (4, 46, 196, 17, 16), (2, 222, 132, 13, 10), (3, 128, 226, 14, 10),
    (0, 93, 98, 9, 6), (1, 137, 92, 9, 6), (3, 122, 135, 10, 7), (2, 150, 122, 7, 3), (4, 88, 134, 7, 4),
]


def dots(draw, scale=1.0, centre=(0, 0), alpha=255):
    """Groups of dots, kept apart; the same ones plain and magnified."""
    r = random.Random(11)
    placed = []
    for i, gx, gy, spread, count in GROUPS:
        done = tries = 0
        while done < count and tries < 500:
            tries += 1
            x, y, rad = r.gauss(gx, spread), r.gauss(gy, spread), r.uniform(3.6, 5.2)
            if not (16 < x < 240 and 16 < y < 240):
                continue
            if any(math.hypot(x - px, y - py) < rad + pr + 1.2 for px, py, pr in placed):
                continue
            placed.append((x, y, rad))
            done += 1
            X = (centre[0] + (x - centre[0]) * scale) * S
            Y = (centre[1] + (y - centre[1]) * scale) * S
            R = rad * scale * S
            draw.ellipse((X - R, Y - R, X + R, Y + R), fill=COLOURS[i] + (alpha,))


base = rounded(N, 56 * S, (24, 30, 44, 255))
layer = Image.new("RGBA", (N, N), (0, 0, 0, 0))
dots(ImageDraw.Draw(layer), alpha=215)
base = Image.alpha_composite(base, layer)

c, r = (116, 114), 62      # lens
# handle
h = Image.new("RGBA", (N, N), (0, 0, 0, 0))
d = ImageDraw.Draw(h)
k = math.sqrt(0.5)
x0, y0 = c[0] + (r + 2) * k, c[1] + (r + 2) * k
x1, y1 = 218, 216
for w, col in ((26, (12, 16, 24, 255)), (20, (226, 232, 242, 255))):
    d.line((x0 * S, y0 * S, x1 * S, y1 * S), fill=col, width=w * S)
    for x, y in ((x1, y1),):
        d.ellipse(((x - w / 2) * S, (y - w / 2) * S, (x + w / 2) * S, (y + w / 2) * S), fill=col)
base = Image.alpha_composite(base, h)

# what the lens shows
inside = Image.new("RGBA", (N, N), (36, 45, 66, 255))
dots(ImageDraw.Draw(inside), scale=1.7, centre=c)
mask = Image.new("L", (N, N), 0)
ImageDraw.Draw(mask).ellipse([(c[0] - r) * S, (c[1] - r) * S, (c[0] + r) * S, (c[1] + r) * S], fill=255)
base.paste(inside, (0, 0), mask)

# soft shine and ring
shine = Image.new("RGBA", (N, N), (0, 0, 0, 0))
ImageDraw.Draw(shine).ellipse([(c[0] - 46) * S, (c[1] - 50) * S, (c[0] + 18) * S, (c[1] - 8) * S], fill=(255, 255, 255, 46))
shine = shine.filter(ImageFilter.GaussianBlur(9 * S))
shine.putalpha(Image.composite(shine.getchannel("A"), Image.new("L", (N, N), 0), mask))
base = Image.alpha_composite(base, shine)
ring = ImageDraw.Draw(base)
for rr, w, col in ((r + 7, 3, (12, 16, 24, 255)), (r + 5, 11, (226, 232, 242, 255))):
    ring.ellipse([(c[0] - rr) * S, (c[1] - rr) * S, (c[0] + rr) * S, (c[1] + rr) * S], outline=col, width=w * S)

# keep the rounded corners
clip = rounded(N, 56 * S, (255, 255, 255, 255)).getchannel("A")
base.putalpha(clip)
base.resize((256, 256), Image.LANCZOS).save(Path(__file__).resolve().parent / "icon.png", optimize=True)
