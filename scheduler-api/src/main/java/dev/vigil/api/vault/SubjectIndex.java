package dev.vigil.api.vault;

import java.text.Normalizer;
import java.util.Arrays;

/// The blind index of a subject: a keyed hash that finds his rows and tells nobody who he is.
public final class SubjectIndex {
    /// Longest subject, in characters.
    public static final int SUBJECT_LENGTH_MAX = 256;

    private final MasterKeys masters;

    SubjectIndex(MasterKeys masters) {
        this.masters = masters;
    }

    /// 16 bytes, as it stands in rows and, in hexadecimal, in audit events; different in two namespaces.
    public byte[] of(int namespace, String subject) {
        String normal = normal(subject);
        byte[] key = masters.key("subject-index:" + namespace);
        return Arrays.copyOf(SealedBytes.hmac(key, SealedBytes.fields("vigil/subject/v1", normal)), 16);
    }

    /// The spelling that counts: NFC, no white space around it.
    static String normal(String subject) {
        String normal = Normalizer.normalize(subject, Normalizer.Form.NFC).strip();
        if (normal.isEmpty() || normal.length() > SUBJECT_LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "subject has " + normal.length() + " characters; use 1 to " + SUBJECT_LENGTH_MAX);
        }
        return normal;
    }
}
