-- Who adds to a shadow shares this row: nobody drops, indexes or swaps it meanwhile.
SELECT generation, indexed FROM views_shadow WHERE view = $1 FOR SHARE
