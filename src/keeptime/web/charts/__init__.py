"""Charts as SVG of our own: no script, no inline style, words beside every picture. Pure."""
