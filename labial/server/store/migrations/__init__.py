"""How the tables became what they are, one file a step; run by :class:`Store` when it opens."""
