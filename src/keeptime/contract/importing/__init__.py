"""From the files of other tools to contracts. One file per format; `reading` is the way in."""
