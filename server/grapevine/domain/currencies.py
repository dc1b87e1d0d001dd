"""The currencies of ISO 4217, list one (current currency and funds codes) as published on 2026-01-01.

The maintenance agency is SIX (https://www.six-group.com/en/products-services/financial-information/data-standards.html);
``tests/unit/domain/test_currencies.py`` compares this list with the package ``iso4217``, which carries SIX's file.
Historic codes are not in it: a shop that sells today has a currency of today.
"""

from __future__ import annotations

from typing import Final

CURRENCIES: Final = frozenset(
    (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
        "GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR "
        "LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN "
        "PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
        "TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC "
        "XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG"
    ).split()
)

NO_CURRENCY: Final = "XXX"
"""ISO 4217's code for "no currency"."""


def currency_code(text: str) -> str | None:
    """Returns the code that ``text`` writes in small or capital letters, or None for what is no current code."""
    code = text.upper() if text.isascii() else ""
    return code if code in CURRENCIES else None
