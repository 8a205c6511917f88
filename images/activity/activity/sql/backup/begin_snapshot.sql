-- One state of the database for everything that follows; it is held while the dump is written, however long that takes.
set transaction isolation level repeatable read, read only;
set local idle_in_transaction_session_timeout = 0
