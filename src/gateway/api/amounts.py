"""Amounts of money as callers may send them: of no more decimals than their currency has."""

from decimal import Decimal

LARGEST_AMOUNT = Decimal(10) ** 14
"""An amount is below it: what the database keeps has fourteen digits before the point."""

USUAL_DECIMALS = 2
DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Currencies (ISO 4217) whose minor unit is not a hundredth."""


def amount_fault(amount: Decimal, currency: str) -> str | None:
    """Why an amount cannot be one of that currency; None when it can."""
    if not amount.is_finite() or amount < 0:
        return "an amount is 0 or more."
    if amount >= LARGEST_AMOUNT:
        return f"an amount is below {LARGEST_AMOUNT:,f}."
    decimals = DECIMALS.get(currency, USUAL_DECIMALS)
    if amount != round(amount, decimals):
        return f"an amount in {currency} has {decimals} decimals at most."
    return None
