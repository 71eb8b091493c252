"""The portal's records: deposits, their recipients, threads, replies, one-time codes and recipients' sessions.

A recipient is a row here, never a user. Nothing personal stands in clear; nothing personal leaves by a notice.
Never opens a message by a GET, never releases one below its assurance, never says whether a forbidden thing exists.
Doors: deposits (deposit, expire, retract, delete), challenges (send_code, prove_code, prove_access, speak_up),
sessions (find, close), access (`access_*`: the only way to what a message says), replies (save_draft, reply),
notify (notice, tell_sender, tell_agreed) and notices.notice_mail, the one function that makes notices and codes.
"""
