"""Feeds in the shapes of those that admins name: news alerts, Mastodon, Bluesky, WordPress, RSS 1.0, aggregators."""

from __future__ import annotations

from typing import Final

PAGE: Final = "https://a.example/bread"
ORIGINS: Final = frozenset(("https://a.example",))

ALERTS: Final = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:idx="urn:atom-extension:indexing">
<id>tag:google.com,2005:reader/user/1/state/com.google/alerts/2</id><title>Google Alert - bread</title>
<entry><id>tag:google.com,2013:googlealerts/feed:1</id>
<title type="html">How &lt;b&gt;bread&lt;/b&gt; &amp;amp; butter</title>
<link href="https://www.google.com/url?rct=j&amp;sa=t&amp;url=https://news.example/story&amp;ct=ga&amp;cd=x&amp;usg=y"/>
<published>2026-11-30T08:30:00Z</published><updated>2026-11-30T08:30:00Z</updated>
<content type="html">See &lt;a href=&quot;{PAGE}?utm_source=n&quot;&gt;this&lt;/a&gt;</content>
<author><name>Ann News</name></author></entry>
<entry><title>Our own page</title><link href="https://www.google.com/url?url={PAGE}&amp;ct=ga"/><content/></entry>
</feed>"""

MASTODON: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:webfeeds="http://webfeeds.org/rss/1.0" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>#bread</title><link>https://social.example/tags/bread</link>
<item><guid isPermaLink="true">https://social.example/@ann/1</guid><link>https://social.example/@ann/1</link>
<pubDate>Mon, 30 Nov 2026 10:00:00 +0000</pubDate>
<description>&lt;p&gt;Good &lt;a href="{PAGE}" rel="nofollow"&gt;&lt;span class="invisible"&gt;https://&lt;/span&gt;a.example/br…&lt;/a&gt;&lt;/p&gt;
</description><media:content url="https://a.example/not-a-link.png"/></item></channel></rss>"""

BLUESKY: Final = f"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>
<description>Posts</description><link>https://bsky.example/profile/ann</link><title>@ann - Ann</title>
<item><link>https://bsky.example/profile/ann/post/3k</link>
<description>Read this: {PAGE}?a=1#gv-x, (and {PAGE}).</description>
<pubDate>30 Nov 2026 11:00 +0000</pubDate><guid isPermaLink="false">at://did:plc:x/app.bsky.feed.post/3k</guid></item>
</channel></rss>"""

BLOG: Final = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Blog</title><item><title>Br\xf6tchen &eacute;t&eacute;</title><link>/2026/post</link>
<dc:creator><![CDATA[Ann B.]]></dc:creator><dc:date>2026-11-29T10:00:00+01:00</dc:date>
<description>Short</description>
<content:encoded><![CDATA[<p>Long &amp; <a href='{PAGE}?x=1&amp;y=2'>x</a></p>]]></content:encoded>
</item></channel></rss>"""

RSS1: Final = f"""<?xml version="1.0"?><rdf:RDF xmlns="http://purl.org/rss/1.0/"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel rdf:about="https://c.example/"><title>C</title></channel>
<item rdf:about="https://c.example/1"><title>One</title><link>https://c.example/1</link>
<description>{PAGE}</description></item></rdf:RDF>"""

AGGREGATOR: Final = f"""<rss version="2.0"><channel><item><title>Bread</title><link>{PAGE}</link>
<comments>https://news.example/item?id=1</comments><author>ann@example.com (Ann)</author></item></channel></rss>"""

XHTML: Final = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://d.example/blog/"><entry xml:base="2026/">
<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <i>b</i></div></title>
<link rel="enclosure" href="https://a.example/enclosure"/><link href="post"/><updated>2026-11-28T00:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><a href="https://a.example/bread">x</a></div></content>
</entry></feed>"""
