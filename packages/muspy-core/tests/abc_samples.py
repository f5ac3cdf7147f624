"""A tune that uses everything the ABC reader knows."""

from __future__ import annotations

TUNE = """X:1
T:Everything
C:Nobody
M:6/8
L:1/8
Q:"Lively" 3/8=110
P:AB2
K:Ador clef=treble
V:1 name="One" transpose=-2
V:2 name="Two" clef=bass octave=-1
%%MIDI program 40
P:A
[V:1] |: "Am"A>B{/c}d (3efg !trill!a- | a2 (b c'2) .d | [CEG]2 z x2 & A,6 |1 ^f3- f__e=d :|2 [M:3/4] g4 |]
w: one two- three_ four * five~six | se-ven
w: an-o-ther
[V:2] Z2 | A,,3 E,3 | [K:Dmix =c] (5:4:5DEFGA B2 :|
P:B
[V:1] [L:1/16] !segno! c//d/4 e3/2 !<(! f !<)! g !D.S.! | ~H.Tuv a+trill+b "^up" c ::
[V:2] [Q:1/4=90] [P:C] [I:MIDI program 5] D8- | D8 |]
W: words after the tune \\'e &amp; more
"""
