"""The pages people have at their desks: server-rendered, live by server-sent events, Chinese and English.

A page X has `X_pages.py` (its addresses, who may see it, its forms) and `X_view.py` (what it shows, read from
the domains); its templates and style sheets have the same name. Several pages share:

    pages.py describe.py moments.py facts.py typed.py    rendering, names, times, lines of facts, typed keys
    texts.py *_texts.py                                  every text, in both languages
    run_content.py run_looks.py import_gains.py          runs and imports in words, alike on every page
    plan_form.py plan_reading.py plan_fields.py          the form of a run: typed, understood, drawn
    routes.py events.py static_files.py                  login and wall, the live feed, files
"""
