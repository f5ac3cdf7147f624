"""Spectrograms → sound: Griffin-Lim, which learns nothing, an iSTFT inverter, and BigVGAN.

`stft.py` takes spectra apart and puts them together, `griffin_lim.py` guesses phases, `inverter.py` and `bigvgan.py`
(with `antialiasing.py`) are networks, `discriminators.py` and `losses.py` teach them; `matching.py` gives any of their
sounds the mel bands that it was made of.
"""
