"""Studies as they arrived: index, bytes by hash, lossless copies, pictures, which case carries which study."""
