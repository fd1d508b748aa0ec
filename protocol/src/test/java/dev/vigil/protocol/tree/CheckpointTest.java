package dev.vigil.protocol.tree;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.tree.Checkpoint.Opened;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    private static final String ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    private static final String SPEC_TEXT = "example.com/behind-the-sofa\n20852163\n" + ROOT + "\n";
    private static final NoteSigner SIGNER = signer("example.com/behind-the-sofa");

    @Test
    void the_example_of_the_specification_is_read_and_written() {
        Checkpoint checkpoint = Checkpoint.parse(SPEC_TEXT).orElseThrow();

        assertThat(checkpoint.origin()).isEqualTo("example.com/behind-the-sofa");
        assertThat(checkpoint.head().size()).isEqualTo(20_852_163);
        assertThat(checkpoint.head().root()).hasToString(ROOT);
        assertThat(checkpoint.extensions()).isEmpty();
        assertThat(checkpoint.text()).isEqualTo(SPEC_TEXT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "log\n",
                "log\n1\n",
                "log\n1\n" + ROOT,
                "\n1\n" + ROOT + "\n",
                "log\n01\n" + ROOT + "\n",
                "log\n-1\n" + ROOT + "\n",
                "log\n+1\n" + ROOT + "\n",
                "log\n9999999999999999999\n" + ROOT + "\n",
                "log\n0\n" + ROOT + "\n",
                "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
                "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
                "log\n1\nAAAA\n",
                "log\n1\n" + ROOT + "\n\n",
                "log\n1\n" + ROOT + "\n\nlater\n"
            })
    void anything_else_is_no_checkpoint(String text) {
        assertThat(Checkpoint.parse(text)).isEmpty();
    }

    @Test
    void extensions_are_kept_because_they_are_signed_too() {
        String text = "log\n1\n" + ROOT + "\nfirst\nsecond\n";

        assertThat(Checkpoint.parse(text).orElseThrow().extensions()).isEqualTo(List.of("first", "second"));
        assertThat(Checkpoint.parse(text).orElseThrow().text()).isEqualTo(text);
    }

    @Test
    void a_checkpoint_opens_under_its_key_only() {
        byte[] note = SIGNER.sign(SPEC_TEXT).toString().getBytes(UTF_8);

        assertThat(Checkpoint.open(note, SIGNER.verifier()))
                .isEqualTo(new Opened.Verified(Checkpoint.parse(SPEC_TEXT).orElseThrow()));
        assertThat(why(note, signer("example.com/behind-the-sofa"))).contains("no valid signature of the key");
        assertThat(why(note, signer("example.com/other"))).contains("no valid signature of the key");
    }

    @Test
    void a_key_cannot_speak_for_another_log_or_sign_something_else() {
        NoteSigner other = signer("example.com/other");
        byte[] foreign = other.sign(SPEC_TEXT).toString().getBytes(UTF_8);
        byte[] letter = other.sign("Dear reader\n").toString().getBytes(UTF_8);

        assertThat(why(foreign, other)).contains("is of log example.com/behind-the-sofa");
        assertThat(why(letter, other)).contains("is not a checkpoint");
        assertThat(why("nonsense".getBytes(UTF_8), other)).contains("not a signed note");
    }

    private static String why(byte[] note, NoteSigner signer) {
        return switch (Checkpoint.open(note, signer.verifier())) {
            case Opened.Verified(Checkpoint checkpoint) -> throw new AssertionError("verified: " + checkpoint);
            case Opened.Refused(String why) -> why;
        };
    }

    private static NoteSigner signer(String name) {
        try {
            return new NoteSigner(name, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
