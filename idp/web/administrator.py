"""The page behind the one-time administrator link."""

from flask import Response, request, url_for

from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.texts import marked
from idp.web.context import origin, services
from idp.web.pages import page, see_other

_NO_LINK = marked(
    "This link was used, is too old, or was replaced by a newer one. Whoever runs this server can "
    "make another: idp admin login-link."
)


def administrator(token: str) -> Response:
    """Make the administrator's account. The link works once; opening it changes nothing."""
    administrators = services().administrators
    if request.method == "POST" and administrators.used_just_now(token):
        return see_other(url_for("start"))
    if not administrators.check(token):
        raise NotFound(_NO_LINK) from administrators.refused(origin())
    values = {name: request.form.get(name, "").strip() for name in ("email", "name")}
    errors: dict[str, str] = {}
    if request.method == "POST":
        password = request.form.get("password", "")
        try:
            administrators.complete(
                token, values["email"], values["name"], password, origin=origin()
            )
            return see_other(url_for("start"))
        except Invalid as error:
            errors[error.field] = str(error)
        except AlreadyExists as error:
            errors["email"] = str(error)
    return page(
        "administrator.html",
        400 if errors else 200,
        action=url_for("administrator", token=token),
        errors=errors,
        values=values,
        min_length=services().settings.password_min_length,
    )
