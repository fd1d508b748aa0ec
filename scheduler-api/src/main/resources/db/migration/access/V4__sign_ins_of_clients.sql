-- A sign-in that a person granted to a program: which one, and for what. Both stand in the HMAC that its refresh tokens
-- are stored as, so a row that SQL widened recognises none of them. Sign-ins with name and password have neither.
ALTER TABLE access.refresh_family
    ADD COLUMN client text,
    ADD COLUMN scopes text[],
    ADD CHECK ((client IS NULL) = (scopes IS NULL));
