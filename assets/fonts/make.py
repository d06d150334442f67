#!/usr/bin/env python3
"""Make the three bundled fonts from their published packages.

    pip install fonttools==4.68.0 brotli==1.2.1
    npm pack inter-ui@4.1.1 && tar xzf inter-ui-4.1.1.tgz          # gives package/
    apt-get install fonts-jetbrains-mono                            # 2.242+ds-3
    python3 assets/fonts/make.py package /usr/share/fonts/truetype/jetbrains-mono

Inter: decompressed from WOFF2, digits 0-9 mapped to their tabular glyphs
(the interface cannot ask for OpenType `tnum`), then subset.
JetBrains Mono: subset only.
"""
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

OUT = Path(__file__).resolve().parent
RANGES = [
    (0x0020, 0x007E), (0x00A0, 0x024F),            # Latin, Latin-1, Extended-A/B
    (0x0250, 0x02FF), (0x0300, 0x036F),            # IPA, modifiers, combining marks
    (0x0370, 0x03FF), (0x0400, 0x052F),            # Greek, Cyrillic
    (0x1E00, 0x1EFF),                              # Latin Extended Additional
    (0x2000, 0x206F), (0x2070, 0x209F),            # punctuation, super/subscripts
    (0x20A0, 0x20CF), (0x2100, 0x218F),            # currency, letterlike, number forms
    (0x2190, 0x21FF), (0x2200, 0x22FF),            # arrows, math operators
    (0x2300, 0x23FF),                              # technical (command and return keys)
    (0x2500, 0x259F), (0x25A0, 0x25FF),            # box drawing, blocks, shapes
    (0x2600, 0x27BF), (0x27F0, 0x27FF),            # symbols, dingbats, long arrows
    (0xFB00, 0xFB06), (0xFFFD, 0xFFFD),
]
FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum", "pnum", "zero", "case"]


def make(src: Path, dst: Path, tabular: bool) -> None:
    font = TTFont(src, recalcTimestamp=False)
    font.flavor = None
    glyphs = set(font.getGlyphOrder())
    if tabular:
        for table in font["cmap"].tables:
            for code in range(ord("0"), ord("9") + 1):
                name = table.cmap.get(code)
                if name and name + ".tf" in glyphs:
                    table.cmap[code] = name + ".tf"
    options = subset.Options()
    options.layout_features = FEATURES
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 16, 17]
    options.glyph_names = True
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.hinting = True
    options.drop_tables += ["DSIG"]
    sub = subset.Subsetter(options)
    sub.populate(unicodes=[c for a, b in RANGES for c in range(a, b + 1)])
    sub.subset(font)
    for rec in font["name"].names:
        if rec.nameID == 5:
            rec.string = str(rec) + "; subset" + ("; tabular digits by default" if tabular else "")
    font.save(dst)
    cmap = font.getBestCmap()
    widths = {font["hmtx"][cmap[c]][0] for c in range(48, 58)}
    assert len(widths) == 1, widths
    print(dst.name, dst.stat().st_size, "bytes", len(cmap), "characters, digit width", widths)


if __name__ == "__main__":
    inter, mono = Path(sys.argv[1]), Path(sys.argv[2])
    make(inter / "web/Inter-Regular.woff2", OUT / "Inter-Regular.ttf", True)
    make(inter / "web/Inter-SemiBold.woff2", OUT / "Inter-SemiBold.ttf", True)
    make(mono / "JetBrainsMono-Regular.ttf", OUT / "JetBrainsMono-Regular.ttf", False)
