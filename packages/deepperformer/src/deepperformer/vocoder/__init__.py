"""Log-mel spectrogram → waveform: HiFi-GAN and its discriminators, an iSTFT inverter, Griffin-Lim (§5.3.3)."""
