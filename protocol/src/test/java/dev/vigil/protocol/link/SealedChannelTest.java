package dev.vigil.protocol.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SealedChannelTest {
    private static final byte[] SECRET = new byte[32];
    private static final SessionTerms TERMS = terms(7, new UUID(1, 1));

    private SealedChannel worker;
    private SealedChannel core;

    SealedChannelTest() throws FrameException {
        byte[] hello = Handshake.hello(TERMS, SECRET, random(1));
        Handshake.Accepted accepted =
                Handshake.accept(TERMS, SECRET, hello, new Handshake.CoreEnd(random(2), NonceWitness.NONE));
        core = accepted.channel();
        worker = Handshake.finish(TERMS, SECRET, hello, new Handshake.WorkerEnd(accepted.welcome(), NonceWitness.NONE))
                .channel();
    }

    @Test
    void both_ends_derive_the_same_keys_and_each_direction_its_own() throws Exception {
        assertThat(worker.mirrors(core)).isTrue();
        assertThat(worker.mirrors(worker)).isFalse();

        Frame frame = core.open(worker.seal(FrameType.READY, Bodies.ready(4, List.of()), 9));
        assertThat(frame.header().credit()).isEqualTo(9);
        assertThat(worker.open(core.seal(FrameType.GOODBYE, Bodies.goodbye(true), 9))
                        .header()
                        .ack())
                .isEqualTo(1);
    }

    @Test
    void every_single_flipped_bit_is_refused() throws Exception {
        byte[] frame = worker.seal(FrameType.READY, Bodies.ready(4, List.of()), 9);
        for (int bit = 0; bit < frame.length * 8; bit++) {
            byte[] changed = frame.clone();
            changed[bit / 8] ^= (byte) (1 << (bit % 8));

            assertThatThrownBy(() -> core.open(changed)).isInstanceOf(FrameException.class);
        }
        assertThat(core.open(frame).body()).isEqualTo(Bodies.ready(4, List.of()).bytes());
    }

    @Test
    void replayed_reordered_reflected_and_cut_off_frames_are_refused() throws Exception {
        byte[] first = worker.seal(FrameType.READY, Bodies.ready(4, List.of()), 0);
        byte[] second = worker.seal(FrameType.READY, Bodies.ready(4, List.of()), 0);

        assertThatThrownBy(() -> core.open(second)).hasMessageContaining("where 0 is due");
        assertThatThrownBy(() -> worker.open(first)).hasMessageContaining("another key");
        assertThatThrownBy(() -> core.open(java.util.Arrays.copyOf(first, first.length - 1)))
                .isInstanceOf(FrameException.class);
        core.open(first);
        assertThatThrownBy(() -> core.open(first)).hasMessageContaining("where 1 is due");
        core.open(second);
    }

    @Test
    void keys_differ_with_every_term_of_the_session() throws Exception {
        Set<String> keys = new HashSet<>();
        NonceWitness witness = (key, nonce) -> keys.add(key);
        SessionTerms other = terms(7, new UUID(1, 2));
        List<SessionTerms> all = List.of(TERMS, terms(8, new UUID(1, 1)), other);
        for (SessionTerms terms : all) {
            byte[] hello = Handshake.hello(terms, SECRET, random(1));
            Handshake.accept(terms, SECRET, hello, new Handshake.CoreEnd(random(2), witness))
                    .channel()
                    .seal(FrameType.GOODBYE, Bodies.goodbye(true), 0);
        }
        assertThat(keys).hasSize(all.size());
    }

    @Test
    void a_hello_or_welcome_made_with_another_secret_is_refused() {
        byte[] wrong = new byte[32];
        wrong[0] = 1;
        byte[] hello = Handshake.hello(TERMS, wrong, random(1));

        assertThatThrownBy(() ->
                        Handshake.accept(TERMS, SECRET, hello, new Handshake.CoreEnd(random(2), NonceWitness.NONE)))
                .isInstanceOf(FrameException.class);
    }

    @Test
    void a_welcome_to_another_hello_is_refused() throws Exception {
        byte[] mine = Handshake.hello(TERMS, SECRET, random(1));
        byte[] other = Handshake.hello(TERMS, SECRET, random(3));
        byte[] welcome = Handshake.accept(TERMS, SECRET, other, new Handshake.CoreEnd(random(2), NonceWitness.NONE))
                .welcome();

        assertThatThrownBy(() ->
                        Handshake.finish(TERMS, SECRET, mine, new Handshake.WorkerEnd(welcome, NonceWitness.NONE)))
                .hasMessageContaining("does not answer our HELLO");
    }

    static SessionTerms terms(long session, UUID incarnation) {
        return new SessionTerms(new UUID(3, 3), new UUID(4, 4), incarnation, session, "tls", new byte[32]);
    }

    static byte[] random(int fill) {
        var random = new byte[32];
        java.util.Arrays.fill(random, (byte) fill);
        return random;
    }
}
