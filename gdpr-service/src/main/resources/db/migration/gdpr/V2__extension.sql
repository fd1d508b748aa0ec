-- A request may be extended once, with the reason that the data subject is told (Article 12(3) GDPR).
ALTER TABLE gdpr.request
    ADD COLUMN extended_by      uuid,
    ADD COLUMN extended_at      timestamptz,
    ADD COLUMN extension_reason text,
    ADD CHECK ((extended_by IS NULL) = (extended_at IS NULL) AND (extended_by IS NULL) = (extension_reason IS NULL));
