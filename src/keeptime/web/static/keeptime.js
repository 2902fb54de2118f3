/* What a script adds to pages that need none: live update, keys, zoom, local time. Fetches from its own origin alone. */
"use strict";
