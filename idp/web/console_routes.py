"""The rows of `routes` for our consoles: path, view, methods. All are pages, and for each the
policies are asked (`guards`), but for changing who is at it.
"""

from collections.abc import Callable
from typing import Any

from idp.web.account import (
    activity,
    applications,
    data,
    devices,
    enrolling,
    home,
    profile,
    security,
)
from idp.web.admin import audit, clients, configuration, frame, keys, mail, people, person_deeds
from idp.web.developer import applications as own_applications
from idp.web.developer import errors as own_errors
from idp.web.developer import secrets as own_secrets

Row = tuple[str, Callable[..., Any], tuple[str, ...]]
_GET = ("GET",)
_POST = ("POST",)
_BOTH = ("GET", "POST")

ACCOUNT: tuple[Row, ...] = (
    ("/account", home.account_home, _GET),
    ("/account/switch", home.switch_account, _POST),
    ("/account/profile", profile.account_profile, _BOTH),
    ("/account/preferences", profile.account_preferences, _POST),
    ("/account/email", profile.account_email, _BOTH),
    ("/account/email/code/<handle_of_code>", profile.email_code, _BOTH),
    ("/account/email/link/<token>", profile.email_link, _BOTH),
    ("/account/security", security.account_security, _GET),
    ("/account/security/password", security.change_password, _BOTH),
    ("/account/security/password/remove", security.remove_password, _BOTH),
    ("/account/security/passkeys/add", enrolling.add_passkey, _BOTH),
    ("/account/security/passkeys/options", enrolling.new_passkey_options, _POST),
    ("/account/security/authenticators/add", enrolling.add_authenticator, _BOTH),
    ("/account/security/recovery-codes", enrolling.recovery_codes, _BOTH),
    ("/account/security/<kind>/<credential_id>/rename", security.rename_credential, _BOTH),
    ("/account/security/<kind>/<credential_id>/remove", security.remove_credential, _BOTH),
    ("/account/sessions", devices.account_sessions, _GET),
    ("/account/sessions/others/end", devices.end_other_sessions, _POST),
    ("/account/sessions/<session_id>/end", devices.end_session, _POST),
    ("/account/devices/<device_id>/forget", devices.forget_device, _POST),
    ("/account/devices/<device_id>/distrust", devices.distrust_device, _POST),
    ("/account/applications", applications.account_applications, _GET),
    ("/account/applications/<client_id>/open", applications.open_application, _GET),
    ("/account/applications/<client_id>/remove", applications.remove_application, _POST),
    ("/account/activity", activity.account_activity, _GET),
    ("/account/activity/not-me", activity.not_me, _BOTH),
    ("/account/data", data.account_data, _GET),
    ("/account/data/download", data.export_account, _BOTH),
    ("/account/data/delete", data.delete_account, _BOTH),
    ("/account/data/delete/cancel", data.cancel_deletion, _POST),
)
DEVELOPER: tuple[Row, ...] = (
    ("/developer", own_applications.developer, _GET),
    ("/developer/register", own_applications.developer_kinds, _GET),
    ("/developer/register/<kind>", own_applications.developer_register, _BOTH),
    ("/developer/<client_id>", own_applications.developer_application, _GET),
    ("/developer/<client_id>/errors", own_errors.developer_errors, _GET),
    ("/developer/<client_id>/edit", own_applications.developer_edit, _BOTH),
    ("/developer/<client_id>/secret", own_secrets.developer_rotate, _BOTH),
    ("/developer/<client_id>/secret/end", own_secrets.developer_end_secret, _POST),
    ("/developer/<client_id>/delete", own_applications.developer_delete, _BOTH),
)
ADMIN: tuple[Row, ...] = (
    ("/admin", frame.admin, _GET),
    ("/admin/people", people.admin_people, _GET),
    ("/admin/people/invite", person_deeds.admin_invite, _BOTH),
    ("/admin/people/<account_id>", people.admin_person, _GET),
    ("/admin/people/<account_id>/disable", person_deeds.admin_disable_person, _BOTH),
    ("/admin/people/<account_id>/enable", person_deeds.admin_enable_person, _POST),
    ("/admin/people/<account_id>/grant", person_deeds.admin_grant, _POST),
    ("/admin/people/<account_id>/revoke", person_deeds.admin_revoke, _POST),
    ("/admin/people/<account_id>/sessions/end", person_deeds.admin_end_sessions, _POST),
    (
        "/admin/people/<account_id>/<kind>/<credential_id>/remove",
        person_deeds.admin_remove_credential,
        _BOTH,
    ),
    ("/admin/clients", clients.admin_clients, _GET),
    ("/admin/clients/<client_id>", clients.admin_client, _GET),
    ("/admin/clients/<client_id>/errors", clients.admin_client_errors, _GET),
    ("/admin/clients/<client_id>/disable", clients.admin_disable_client, _BOTH),
    ("/admin/clients/<client_id>/enable", clients.admin_enable_client, _POST),
    ("/admin/keys", keys.admin_keys, _GET),
    ("/admin/keys/<algorithm>/rotate", keys.admin_rotate_keys, _BOTH),
    ("/admin/audit", audit.admin_audit, _GET),
    ("/admin/audit.csv", audit.admin_audit_export, _GET),
    ("/admin/mail", mail.admin_mail, _GET),
    ("/admin/mail/test", mail.admin_test_mail, _POST),
    ("/admin/configuration", configuration.admin_configuration, _GET),
)
