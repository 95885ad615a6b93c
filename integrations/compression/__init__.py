"""Lossless JPEG 2000: one port, glymur, one fake, and a limited decoder for what strangers send."""

from integrations.compression.fake import FakeCompressor
from integrations.compression.limited import Decoder
from integrations.compression.lossless import GlymurCompressor
from integrations.compression.policy import DECODED
from integrations.compression.port import JPEG2000_LOSSLESS, Compressor, Encoded, NotBitExact, Undecodable

__all__ = ["DECODED", "JPEG2000_LOSSLESS", "Compressor", "Decoder", "Encoded", "FakeCompressor", "GlymurCompressor", "NotBitExact",
           "Undecodable"]  # fmt: skip
