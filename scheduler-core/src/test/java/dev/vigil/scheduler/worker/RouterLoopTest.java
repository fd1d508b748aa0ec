package dev.vigil.scheduler.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RouterLoopTest {
    @Test
    void when_an_io_thread_of_jeromq_dies_the_router_is_made_anew() throws Exception {
        var rebuilt = new AtomicInteger();
        var deaths = new AtomicInteger();
        var traffic = new RouterLoop.Traffic() {
            @Override
            public void message(int port, byte[] routingId, byte[] frame) {}

            @Override
            public void tick() {}

            @Override
            public void rebuilding() {
                rebuilt.incrementAndGet();
            }
        };
        // The hook runs on the I/O thread; an Error there ends the thread as a 2 GiB allocation would (facts: F4).
        try (var loop = new RouterLoop(
                traffic,
                port -> {
                    if (deaths.getAndIncrement() == 0) {
                        throw new OutOfMemoryError("a test says so");
                    }
                    return true;
                },
                65_536)) {
            loop.start();
            int before = loop.port();
            new Socket(InetAddress.getLoopbackAddress(), before).close();

            await().until(() -> rebuilt.get() == 1 && loop.healthy() && loop.port() != before);

            try (var peer = new Socket(InetAddress.getLoopbackAddress(), loop.port())) {
                peer.getOutputStream().write(TestWorker.greeting());
                assertThat(peer.getInputStream().read()).isEqualTo(0xff);
            }
        }
    }
}
