package dev.vigil.api.access;

import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Role;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;

/// Makes the accounts that settings name, once and before the first call. Later starts find them and change nothing.
final class Bootstrap implements SmartInitializingSingleton {
    private static final Logger LOG = LoggerFactory.getLogger(Bootstrap.class);
    private static final int RATE = 1_000_000;

    private final Users users;
    private final Passwords passwords;
    private final AccessSettings settings;

    Bootstrap(Users users, Passwords passwords, AccessSettings settings) {
        this.users = users;
        this.passwords = passwords;
        this.settings = settings;
    }

    @Override
    public void afterSingletonsInstantiated() {
        AccessSettings.Account admin = settings.admin();
        if (admin != null && users.findByName(admin.name()).isEmpty()) {
            var draft = new Users.NewUser("user", admin.name(), passwords.hash(admin.secret()), powers(Role.ADMIN));
            users.create(draft, Users.Actor.BOOTSTRAP).ifPresent(_ -> LOG.info("event=admin_created"));
        }
        AccessSettings.Account client = settings.client();
        if (client != null && users.findByName(client.name()).isEmpty()) {
            var draft = new Users.NewUser("service_account", client.name(), null, powers(Role.SCHEDULER));
            var secret = new Users.ClientSecret(client.name(), client.secret());
            users.createWithClient(draft, Users.Actor.BOOTSTRAP, secret)
                    .ifPresent(_ -> LOG.info("event=client_created"));
        }
    }

    private static Users.Powers powers(Role role) {
        return new Users.Powers(role, Namespace.DEFAULT, Caller.Permissions.ALL, RATE);
    }
}
