"""The two encodings that the paper compares with: MMM (multitrack) and simplified REMI+ (§3.4.2).

Both write a song as one sequence of codes, (L,), which the same transformer models; `mmm` and `remi` each have `encode`
and `decode` with note rows on the other side.
"""
