"""The command line: a module per noun, imported only when the noun is called."""
