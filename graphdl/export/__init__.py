"""Networks that leave: the stand-alone training script."""

from graphdl.export.script import script, write_script

__all__ = ["script", "write_script"]
