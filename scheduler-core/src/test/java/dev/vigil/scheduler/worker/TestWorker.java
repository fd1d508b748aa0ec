package dev.vigil.scheduler.worker;

import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.Body;
import dev.vigil.protocol.link.Frame;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.Handshake;
import dev.vigil.protocol.link.HeartbeatHash;
import dev.vigil.protocol.link.Held;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.protocol.link.SealedChannel;
import dev.vigil.protocol.link.SessionTerms;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A worker written from the protocol page alone: HTTPS, TLS, ZMTP 3.1 by hand. It sees and forges every byte inside
/// TLS, which is what a relay that holds the TLS keys could do.
@SuppressWarnings("NullAway.Init") // each step of the protocol sets its own fields
final class TestWorker implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final JsonMapper JSON = new JsonMapper();

    final Identity identity;
    final UUID boot;
    SessionTerms terms;
    byte[] secret;
    String endpoint;
    SealedChannel channel;
    HeartbeatHash hash;
    Socket raw = new Socket();
    DataInputStream in;
    DataOutputStream out;
    byte[] hello;
    long heartbeat;
    int credit = 4;
    private final SSLContext tls;

    TestWorker(TestAuthority authority, Identity identity, UUID boot) {
        this.identity = identity;
        this.boot = boot;
        this.tls = authority.tls(identity, Peers.service("core"));
    }

    static TestWorker of(TestAuthority authority) {
        return new TestWorker(authority, worker(authority, UUID.randomUUID()), UUID.randomUUID());
    }

    static Identity worker(TestAuthority authority, UUID id) {
        return authority.issue("spiffe://vigil.local/worker/" + id, java.time.Duration.ofHours(1));
    }

    UUID id() {
        return identity.id().worker().orElseThrow();
    }

    WorkerBoot workerBoot() {
        return new WorkerBoot(id(), boot);
    }

    /// Session, connection, handshake, READY and the first heartbeat.
    TestWorker join(URI sessions) throws Exception {
        openSession(sessions);
        connect();
        greet();
        send(FrameType.READY, Bodies.ready(credit, List.of()));
        beat(List.of());
        return this;
    }

    HttpResponse<String> askSession(URI sessions) throws IOException, InterruptedException {
        String body = "{\"protocol\":1,\"boot\":\"" + boot + "\",\"slots\":4,\"handlers\":[\"demo.echo\"],"
                + "\"sandbox\":\"none\",\"limits\":\"rlimit\",\"version\":\"test\"}";
        return post(sessions.resolve("/worker/v1/sessions"), body);
    }

    HttpResponse<String> post(URI uri, String body) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newBuilder()
                .sslContext(tls)
                .sslParameters(TlsContexts.parameters())
                .build()) {
            return client.send(
                    HttpRequest.newBuilder(uri)
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    void openSession(URI sessions) throws IOException, InterruptedException {
        HttpResponse<String> answer = askSession(sessions);
        if (answer.statusCode() != 201) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        JsonNode json = JSON.readTree(answer.body());
        terms = new SessionTerms(
                id(),
                boot,
                UUID.fromString(json.get("incarnation").asString()),
                Long.parseUnsignedLong(json.get("session").asString()),
                json.get("carrier").asString(),
                identity.fingerprint());
        secret = Base64.getDecoder().decode(json.get("secret").asString());
        endpoint = json.get("endpoint").asString();
    }

    /// TLS and the ZMTP handshake.
    void connect() throws IOException {
        connectTls();
        out.write(greeting());
        out.write(ready("Socket-Type", "DEALER", "Identity", ""));
        out.flush();
        in.skipNBytes(64);
        in.readUnsignedByte();
        in.skipNBytes(in.readUnsignedByte());
    }

    void connectTls() throws IOException {
        int colon = endpoint.lastIndexOf(':');
        raw = new Socket(endpoint.substring(0, colon), Integer.parseInt(endpoint.substring(colon + 1)));
        raw.setTcpNoDelay(true);
        raw.setSoTimeout(10_000);
        var secure = (SSLSocket) tls.getSocketFactory().createSocket(raw, "core", raw.getPort(), true);
        secure.setSSLParameters(TlsContexts.parameters());
        secure.startHandshake();
        in = new DataInputStream(secure.getInputStream());
        out = new DataOutputStream(secure.getOutputStream());
    }

    static byte[] greeting() {
        var bytes = new byte[64];
        bytes[0] = (byte) 0xff;
        bytes[9] = 0x7f;
        bytes[10] = 3;
        System.arraycopy("NULL".getBytes(StandardCharsets.US_ASCII), 0, bytes, 12, 4);
        return bytes;
    }

    static byte[] ready(String... properties) {
        var body = new java.io.ByteArrayOutputStream();
        body.write(5);
        body.writeBytes("READY".getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < properties.length; i += 2) {
            body.write(properties[i].length());
            body.writeBytes(properties[i].getBytes(StandardCharsets.US_ASCII));
            int length = properties[i + 1].length();
            body.writeBytes(new byte[] {0, 0, (byte) (length >>> 8), (byte) length});
            body.writeBytes(properties[i + 1].getBytes(StandardCharsets.US_ASCII));
        }
        var frame = new java.io.ByteArrayOutputStream();
        if (body.size() > 255) {
            frame.write(6);
            frame.writeBytes(
                    java.nio.ByteBuffer.allocate(8).putLong(body.size()).array());
        } else {
            frame.write(4);
            frame.write(body.size());
        }
        frame.writeBytes(body.toByteArray());
        return frame.toByteArray();
    }

    void greet() throws IOException, FrameException {
        var random = new byte[32];
        RANDOM.nextBytes(random);
        hello = Handshake.hello(terms, secret, random);
        write(hello);
        finish(read());
    }

    void finish(byte[] welcome) throws FrameException {
        Handshake.Accepted accepted =
                Handshake.finish(terms, secret, hello, new Handshake.WorkerEnd(welcome, NonceWitness.NONE));
        channel = accepted.channel();
        hash = new HeartbeatHash(accepted.transcript());
        heartbeat = 0;
    }

    byte[] seal(FrameType type, Body body) {
        return channel.seal(type, body, credit);
    }

    void send(FrameType type, Body body) throws IOException {
        write(seal(type, body));
    }

    /// A heartbeat, signed when it is the first.
    void beat(List<Held> held) throws IOException {
        beat(held, heartbeat == 0);
    }

    void beat(List<Held> held, boolean signed) throws IOException {
        heartbeat++;
        byte[] unsigned = Bodies.heartbeat(heartbeat, held);
        hash.add(unsigned);
        byte[] signature = signed ? identity.sign(hash.statement()) : new byte[0];
        send(FrameType.HEARTBEAT, Bodies.heartbeat(unsigned, signature));
    }

    Frame receive() throws IOException, FrameException {
        return channel.open(read());
    }

    /// The next frame of a type; others are opened and passed over.
    Frame receive(FrameType type) throws IOException, FrameException {
        Frame frame = receive();
        while (frame.header().type() != type) {
            frame = receive();
        }
        return frame;
    }

    void write(byte[] message) throws IOException {
        if (message.length > 255) {
            out.write(2);
            out.writeLong(message.length);
        } else {
            out.write(0);
            out.write(message.length);
        }
        out.write(message);
        out.flush();
    }

    byte[] read() throws IOException {
        int flags = in.readUnsignedByte();
        long length = (flags & 2) != 0 ? in.readLong() : in.readUnsignedByte();
        var message = new byte[(int) length];
        in.readFully(message);
        return message;
    }

    /// Whether the core has ended the connection; reads what still comes.
    boolean cut() {
        try {
            raw.setSoTimeout(5_000);
            while (in.read() >= 0) {
                // Whatever was on its way does not matter.
            }
            return true;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        raw.close();
    }
}
