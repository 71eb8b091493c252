"""django-allauth for staff: e-mail and password with TOTP or passkey; nobody signs up, recovers or confirms by mail."""

ACCOUNT_ADAPTER = "carepost.tenancy.accounts.StaffAccounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = False
#: HS-09: failed tries lock, per address and per client; 5 wrong passwords in 5 minutes
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key", "reauthenticate": "10/m/user"}

MFA_ADAPTER = "carepost.tenancy.accounts.StaffFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
#: a synced passkey counts at AAL2 only when the person was verified (N-03)
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Carepost"
#: RFC 6238 5.2: one step for a code typed just before it changed, and a telephone whose clock is half a minute off
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True

LOGIN_URL = "account_login"
