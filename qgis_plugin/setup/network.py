"""The proxy of QGIS's own settings, for pip."""

from __future__ import annotations

from urllib.parse import quote

from qgis.core import QgsSettings


def proxy() -> str:
    """QGIS's proxy as an address, empty where there is none or it is that of the system, which pip finds itself."""
    kept = QgsSettings()
    host = _text(kept, "proxyHost")
    if _text(kept, "proxyEnabled") not in ("true", "1") or _text(kept, "proxyType") == "DefaultProxy" or not host:
        return ""
    scheme = "socks5" if _text(kept, "proxyType") == "Socks5Proxy" else "http"
    port, user, password = (_text(kept, name) for name in ("proxyPort", "proxyUser", "proxyPassword"))
    who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    return f"{scheme}://{who}{host}{f':{port}' if port not in ('', '0') else ''}"


def _text(kept: QgsSettings, name: str) -> str:
    value = kept.value(f"proxy/{name}", "")
    return str(value).lower() if isinstance(value, bool) else str(value or "").strip()
