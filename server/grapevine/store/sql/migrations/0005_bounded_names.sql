-- Bounds on every name that a visitor may invent.

-- Names that count as themselves: goals and apps that visitors named within the bound of their day, or that the owner
-- named. `kind` is 1 goal, 2 app; `day` is the day it was first seen, -1 where it does not count against the bound of any
-- day. `cell` is the site's, so that all names of a site are counted in one place.
-- It is empty at first: names from before count as new once more, on the day on which they are next seen.
CREATE TABLE names (
    site_id     BIGINT   NOT NULL,
    kind        SMALLINT NOT NULL,
    name        TEXT     NOT NULL,
    cell        SMALLINT NOT NULL,
    day         BIGINT   NOT NULL,
    PRIMARY KEY (site_id, kind, name, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX names_day ON names (site_id, kind, day);

-- How many events of a day exceeded a bound. `kind` as in names, and 0 page, 3 answer (refused), 4 share (its own URL);
-- `cell` is a slot as in the counts.
CREATE TABLE bound_hits (
    site_id     BIGINT   NOT NULL,
    day         BIGINT   NOT NULL,
    kind        SMALLINT NOT NULL,
    cell        SMALLINT NOT NULL,
    events      BIGINT   NOT NULL,
    PRIMARY KEY (site_id, day, kind, cell)
) /*sqlite WITHOUT ROWID */;

-- The URL of a shared page that exceeded the bound of pages, so that its link leads there all the same.
ALTER TABLE shares ADD COLUMN url TEXT;

-- Depths of 63 and more count as 63.
INSERT INTO counts_hour (
    site_id, hour, source, channel, depth, cell, views, visits, visitors, returns, self_returns, same_network,
    shares, reported, proven, conversions, unlinked, unfurls
)
SELECT site_id, hour, source, channel, 63, cell, sum(views), sum(visits), sum(visitors), sum(returns),
    sum(self_returns), sum(same_network), sum(shares), sum(reported), sum(proven), sum(conversions), sum(unlinked),
    sum(unfurls)
FROM counts_hour WHERE depth > 63 GROUP BY site_id, hour, source, channel, cell
ON CONFLICT (site_id, hour, source, channel, depth, cell) DO UPDATE SET
    views = counts_hour.views + excluded.views,
    visits = counts_hour.visits + excluded.visits,
    visitors = counts_hour.visitors + excluded.visitors,
    returns = counts_hour.returns + excluded.returns,
    self_returns = counts_hour.self_returns + excluded.self_returns,
    same_network = counts_hour.same_network + excluded.same_network,
    shares = counts_hour.shares + excluded.shares,
    reported = counts_hour.reported + excluded.reported,
    proven = counts_hour.proven + excluded.proven,
    conversions = counts_hour.conversions + excluded.conversions,
    unlinked = counts_hour.unlinked + excluded.unlinked,
    unfurls = counts_hour.unfurls + excluded.unfurls;
DELETE FROM counts_hour WHERE depth > 63;
INSERT INTO counts_day (
    site_id, day, dimension, key, cell, views, visits, visitors, returns, self_returns, same_network, shares,
    reported, proven, conversions, unlinked, unfurls
)
SELECT site_id, day, 2, 63, cell, sum(views), sum(visits), sum(visitors), sum(returns), sum(self_returns),
    sum(same_network), sum(shares), sum(reported), sum(proven), sum(conversions), sum(unlinked), sum(unfurls)
FROM counts_day WHERE dimension = 2 AND key > 63 GROUP BY site_id, day, cell
ON CONFLICT (site_id, day, dimension, key, cell) DO UPDATE SET
    views = counts_day.views + excluded.views,
    visits = counts_day.visits + excluded.visits,
    visitors = counts_day.visitors + excluded.visitors,
    returns = counts_day.returns + excluded.returns,
    self_returns = counts_day.self_returns + excluded.self_returns,
    same_network = counts_day.same_network + excluded.same_network,
    shares = counts_day.shares + excluded.shares,
    reported = counts_day.reported + excluded.reported,
    proven = counts_day.proven + excluded.proven,
    conversions = counts_day.conversions + excluded.conversions,
    unlinked = counts_day.unlinked + excluded.unlinked,
    unfurls = counts_day.unfurls + excluded.unfurls;
DELETE FROM counts_day WHERE dimension = 2 AND key > 63;
