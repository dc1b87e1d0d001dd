"""Which names of query parameters only track: those that mark a visitor, a click or a campaign, on every site."""

from __future__ import annotations

import pytest

from grapevine.domain.tracking_parameters import is_tracking

TRACKING = {
    "campaigns": (
        "utm_source utm_medium UTM_Campaign utm_id utm_source_platform UTM_straße "
        "mtm_source matomo_campaign pk_kwd piwik_kwd"
    ),
    "clicks": (
        "fbclid gclid GCLID dclid gbraid wbraid msclkid twclid ttclid li_fat_id yclid ysclid srsltid rdt_cid epik "
        "ScCid ymclid syclid"
    ),
    "recipients of a mailing": (
        "mc_eid mc_cid _hsenc _hsmi mkt_tok vero_id vero_conv ck_subscriber_id oly_enc_id oly_anon_id "
        "ml_subscriber ml_subscriber_hash elqTrackId bsft_uid dm_i spUserID spMailingID sfmc_sub "
        "inf_contact_key _kx _cldee _cio_id _ri_ _ei_ et_rid et_cid sc_uid sc_eh sc_customer ss_email_id sp_rid "
        "bbeml emci omnisendContactID omnisendAttributionID elqTrack elqCampaignId"
    ),
    "visitors": "_gl _ga __hstc __hssc __hsfp _ke __s wickedid _branch_match_id ajs_uid ajs_aid oft_ck oft_lk",
    "shares": "igsh igshid si mibextid",
    "advertisements": "s_kwcid ef_id mkwid pcrid s_cid wt_mc xtor gad_source gclsrc hsa_cam",
}
CONTENT = {
    "affiliates and referrals": (
        "ref aff affid aff_id affiliate affiliate_id partner partner_id clickref irclickid awc cjevent ranMID "
        "sscid tduid referral referrer referral_code invite inviter refer_id campid subid sub_id"
    ),
    "coupons": "coupon coupon_code discount promo promocode promo_code voucher gift offer",
    "languages and places": "lang language hl locale lc l gl country currency region city store",
    "content": (
        "id q query s p page tag tags cat category sort order view v variant sku size color filter tab t "
        "start list a b next continue redirect_to return_to context origin source social email newsletter "
        "campaign campaign_id medium term content mid pid picid mbid cvid trk track ad ads adj_close nb_pages "
        "mt_id hs_code mc_version cm_height _page _id ceid cid eid et sc sp_id ss ri elk"
    ),
    "sessions": "sid session_id phpsessid jsessionid token",
    "look-alikes": "xutm_source gclidx si2 _gla u\u017ftm utm mtm m\u212at_tok \u017fi _\u212ae",
}


@pytest.mark.parametrize("kind", TRACKING)
def test_names_that_only_track(kind: str) -> None:
    assert [name for name in TRACKING[kind].split() if not is_tracking(name)] == []


@pytest.mark.parametrize("kind", CONTENT)
def test_names_that_may_select_content_or_pay_somebody(kind: str) -> None:
    assert [name for name in CONTENT[kind].split() if is_tracking(name)] == []
