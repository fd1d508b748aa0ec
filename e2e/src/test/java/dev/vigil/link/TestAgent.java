package dev.vigil.link;

import dev.vigil.agent.link.AgentLink;
import dev.vigil.agent.link.LinkSettings;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.link.NonceWitness;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;

/// A worker as it is in production, but for its handlers.
final class TestAgent implements AutoCloseable {
    final UUID worker;
    final EchoRunner runner;
    final IdentityKeeper keeper;
    final AgentLink link;

    TestAgent(TestVault vault, Path folder, int slots) throws Exception {
        this(vault, folder, new LinkSettings(slots, "test", Duration.ofMillis(200), NonceWitness.NONE), slots);
    }

    TestAgent(TestVault vault, Path folder, LinkSettings settings, int slots) throws Exception {
        UUID id = UUID.randomUUID();
        String token = "token-" + id;
        vault.api.token(token, id);
        keeper = IdentityKeeper.open(
                new IdentitySettings(folder.resolve("identity"), vault.uri(), "w", token, vault.authority.pin()),
                InstantSource.system());
        worker = keeper.current().id().worker().orElseThrow();
        runner = new EchoRunner(slots);
        link = new AgentLink(new AgentLink.Parts(keeper, vault.uri(), runner, InstantSource.system()), settings);
        link.start();
    }

    @Override
    public void close() {
        link.close();
        keeper.close();
    }
}
