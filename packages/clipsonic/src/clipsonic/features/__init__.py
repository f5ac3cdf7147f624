"""Sound and queries → arrays: the log-mel spectrogram, and vectors of labels, texts, images and sounds."""
