"""The rules by family; each module offers `check` over one process, or over the whole bundle."""
