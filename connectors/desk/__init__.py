# SPDX-License-Identifier: Apache-2.0
"""The caseworkers' pages: server-rendered Flask over the casebook, in Japanese and English, working without JavaScript.

Slices are named by what people do; inside each: `pages` (routes) › `service` (verbs) › `reads` › `tables` › `rules`,
with `texts.json` beside them and templates under `templates/<slice>/`. `web` is what all of them stand on.
"""
