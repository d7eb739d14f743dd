"""Pages in HTML, each a single file that loads nothing: templates, their style and their script."""
