package dev.vigil.protocol.tree;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class SignedNoteTest {
    // The example of C2SP signed-note.
    private static final String SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    private static final String SPEC_NOTE = """
            This is an example message.

            \u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
            """;

    // The vectors of Go's sumdb/note, which the C2SP format was taken from.
    private static final String GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private static final String GO_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    private static final String GO_TEXT = """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.
            """;
    private static final String GO_SIGNATURE =
            "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    private static final String OTHER_SIGNATURE =
            "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

    @Test
    void the_example_of_the_specification_verifies() {
        SignedNote note = note(SPEC_NOTE);

        assertThat(note.isSignedBy(key(SPEC_KEY))).isTrue();
        assertThat(note.text()).isEqualTo("This is an example message.\n");
        assertThat(note).hasToString(SPEC_NOTE);
    }

    @Test
    void signing_gives_the_known_note() throws GeneralSecurityException {
        byte[] seed = Base64.getDecoder().decode(GO_SEED);
        byte[] key = Base64.getDecoder().decode(GO_KEY.split("\\+", 3)[2]);
        var signer =
                new NoteSigner("PeterNeumann", pair(Arrays.copyOfRange(seed, 1, 33), Arrays.copyOfRange(key, 1, 33)));

        assertThat(signer.verifier()).hasToString(GO_KEY);
        assertThat(signer.sign(GO_TEXT)).hasToString(GO_TEXT + "\n" + GO_SIGNATURE);
        assertThat(signer.toString()).isEqualTo("NoteSigner[PeterNeumann]");
    }

    @Test
    void signatures_of_unknown_keys_are_passed_over_and_alone_prove_nothing() {
        assertThat(note(GO_TEXT + "\n" + OTHER_SIGNATURE + GO_SIGNATURE).isSignedBy(key(GO_KEY)))
                .isTrue();
        assertThat(note(GO_TEXT + "\n" + OTHER_SIGNATURE).isSignedBy(key(GO_KEY)))
                .isFalse();
        assertThat(note(GO_TEXT + "\n" + GO_SIGNATURE.repeat(100)).signatures()).hasSize(100);
    }

    @Test
    void a_wrong_signature_under_the_keys_name_and_id_spoils_the_note() {
        byte[] bad = Base64.getDecoder().decode(GO_SIGNATURE.strip().split(" ", -1)[2]);
        bad[40] ^= 1;
        String badLine = "\u2014 PeterNeumann " + Base64.getEncoder().encodeToString(bad) + "\n";

        assertThat(note(GO_TEXT + "\n" + GO_SIGNATURE + badLine).isSignedBy(key(GO_KEY)))
                .isFalse();
    }

    @Test
    void a_note_with_any_byte_of_it_changed_is_not_signed_by_the_key() {
        byte[] sound = (GO_TEXT + "\n" + GO_SIGNATURE).getBytes(UTF_8);
        for (int i = 0; i < sound.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] changed = sound.clone();
                changed[i] ^= (byte) (1 << bit);

                assertThat(SignedNote.parse(changed)
                                .filter(note -> note.isSignedBy(key(GO_KEY)))
                                .filter(note -> note.text().equals(GO_TEXT)))
                        .as("bit %d of byte %d", bit, i)
                        .isEmpty();
            }
        }
    }

    @Test
    void what_is_no_note_is_refused() {
        List<String> malformed = List.of(
                "",
                "\n\n",
                GO_TEXT,
                GO_TEXT + "\n",
                GO_TEXT + "\n" + GO_SIGNATURE.strip(),
                "\u0001" + GO_TEXT + "\n" + GO_SIGNATURE,
                "\t" + GO_TEXT + "\n" + GO_SIGNATURE,
                GO_TEXT + GO_SIGNATURE,
                GO_TEXT + "\n" + GO_SIGNATURE.replace("PeterNeumann", "Bad Name"),
                GO_TEXT + "\n" + GO_SIGNATURE.replace("PeterNeumann", "a+b"),
                GO_TEXT + "\n" + GO_SIGNATURE.replace("PeterNeumann", ""),
                GO_TEXT + "\n" + GO_SIGNATURE.replace("\u2014", "-"),
                GO_TEXT + "\n" + GO_SIGNATURE + "Unexpected line.\n",
                GO_TEXT + "\n\u2014 PeterNeumann x08goA\n",
                GO_TEXT + "\n\u2014 PeterNeumann x08gow==\n");
        for (String text : malformed) {
            assertThat(SignedNote.parse(text.getBytes(UTF_8))).as(text).isEmpty();
        }
        assertThat(SignedNote.parse(new byte[] {(byte) 0xff, '\n', '\n'})).isEmpty();
        assertThat(SignedNote.parse((GO_TEXT.repeat(3000) + "\n" + GO_SIGNATURE).getBytes(UTF_8)))
                .isEmpty();
    }

    @Test
    void the_text_may_hold_blank_lines() throws GeneralSecurityException {
        var signer = new NoteSigner("a", KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
        String text = "first\n\nsecond: \u00e9\n\n";

        SignedNote note = note(signer.sign(text).toString());

        assertThat(note.text()).isEqualTo(text);
        assertThat(note.isSignedBy(signer.verifier())).isTrue();
    }

    @Test
    void a_key_has_exactly_one_form() {
        assertThat(VerifierKey.parse(GO_KEY)).isPresent();
        for (int from = 0; from <= GO_KEY.length(); from++) {
            for (int to = from; to <= GO_KEY.length(); to++) {
                if (to - from < GO_KEY.length()) {
                    assertThat(VerifierKey.parse(GO_KEY.substring(from, to))).isEmpty();
                }
            }
        }
        for (int i = 0; i < GO_KEY.length(); i++) {
            var changed = new StringBuilder(GO_KEY);
            changed.setCharAt(i, (char) (GO_KEY.charAt(i) + 1));
            assertThat(VerifierKey.parse(changed.toString()))
                    .as(changed.toString())
                    .isEmpty();
        }
        // The right id for a key that is too long, and for an unknown type.
        assertThat(VerifierKey.parse("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="))
                .isEmpty();
        assertThat(VerifierKey.parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"))
                .isEmpty();
    }

    @Test
    void halves_of_two_keys_and_keys_of_another_kind_are_refused() throws GeneralSecurityException {
        var ed25519 = KeyPairGenerator.getInstance("Ed25519");
        KeyPair one = ed25519.generateKeyPair();
        KeyPair two = ed25519.generateKeyPair();
        KeyPair other = KeyPairGenerator.getInstance("EC").generateKeyPair();

        assertThatThrownBy(() -> new NoteSigner("log", new KeyPair(one.getPublic(), two.getPrivate())))
                .hasMessageContaining("does not belong to its public key");
        assertThatThrownBy(() -> new NoteSigner("log", other)).hasMessageContaining("use Ed25519");
        assertThatThrownBy(() -> new NoteSigner("a b", one)).hasMessageContaining("has a space");
    }

    private static SignedNote note(String text) {
        return SignedNote.parse(text.getBytes(UTF_8)).orElseThrow();
    }

    private static VerifierKey key(String vkey) {
        return VerifierKey.parse(vkey).orElseThrow();
    }

    private static KeyPair pair(byte[] seed, byte[] key) throws GeneralSecurityException {
        var factory = KeyFactory.getInstance("Ed25519");
        HexFormat hex = HexFormat.of();
        return new KeyPair(
                factory.generatePublic(
                        new X509EncodedKeySpec(hex.parseHex("302a300506032b6570032100" + hex.formatHex(key)))),
                factory.generatePrivate(new PKCS8EncodedKeySpec(
                        hex.parseHex("302e020100300506032b657004220420" + hex.formatHex(seed)))));
    }
}
