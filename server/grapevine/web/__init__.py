"""The only folder that imports Starlette: routes on one page, thin handlers, the dashboard."""
