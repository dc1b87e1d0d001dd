"""How many deep direct visits stem from private shares: one Bayesian model of ``docs/estimate.md``, plain arithmetic.

``inputs`` what a site measured · ``days`` how a page's days move together · ``pages`` how much a page is read and
shared · ``prior`` what is believed beforehand · ``posterior`` what the pages say about it · ``estimate`` the answer, or
what it lacks. Knows neither stores nor the web. The same numbers give the same answer: nothing here is drawn by chance.
"""
