"""The generated pages: one module for each, which reads the code and gives the page's text."""
