package dev.vigil.api.vault;

import dev.vigil.api.web.AccountRecords;
import dev.vigil.api.web.Accounts;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.NamespaceNumbers;
import dev.vigil.api.web.Occupancy;
import dev.vigil.api.web.Outbox;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.execution.LiveCores;
import dev.vigil.scheduler.execution.WorkerReports;
import dev.vigil.scheduler.task.SubjectTasks;
import dev.vigil.scheduler.task.Tasks;
import java.time.InstantSource;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// The vault's objects and how they hang together.
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(VaultSettings.class)
@Import(VaultConfiguration.RoutesConfiguration.class)
public class VaultConfiguration {
    @Bean
    VaultStore vaultStore(JdbcClient db, PlatformTransactionManager transactions, InstantSource time, Outbox outbox) {
        var events = new VaultEvents(outbox, transactions, time);
        return new VaultStore(db, new TransactionTemplate(transactions), events, time);
    }

    @Bean
    RootKeys rootKeys(VaultSettings settings) {
        return RootKeyRing.open(settings.rootKeyFile(), settings.createRootKey());
    }

    @Bean
    MasterKeys masterKeys(VaultStore store, RootKeys roots) {
        return new MasterKeys(store, roots);
    }

    @Bean
    VaultKeys vaultKeys(MasterKeys masters) {
        return new VaultKeys(masters);
    }

    @Bean
    DataKeys dataKeys(VaultStore store, MasterKeys masters, VaultSettings settings) {
        return new DataKeys(store, masters, settings.sealsPerKey());
    }

    @Bean
    SubjectIndex subjectIndex(MasterKeys masters) {
        return new SubjectIndex(masters);
    }

    @Bean
    RowSealer rowSealer(DataKeys keys, VaultStore store) {
        return new RowSealer(keys, store);
    }

    @Bean
    Secrets secrets(VaultStore store, RowSealer sealer) {
        return new Secrets(store, sealer);
    }

    @Bean
    PiiTokens piiTokens(VaultStore store, SubjectIndex subjects, RowSealer sealer) {
        return new PiiTokens(store, subjects, sealer);
    }

    @Bean
    Occupancy secretsInNamespace(Secrets secrets) {
        return namespace -> secrets.list(namespace, Workers.NEWEST, 1).isEmpty() ? List.of() : List.of("secrets");
    }

    @Bean
    Occupancy piiTokensInNamespace(PiiTokens tokens) {
        return namespace -> tokens.anyIn(namespace) ? List.of("PII tokens (erase their subjects)") : List.of();
    }

    @Bean
    References references(Handlers handlers, SecretStore secrets, PiiTokens tokens, RowSealer sealer) {
        return new References(handlers, secrets, tokens, sealer);
    }

    @Bean
    PayloadSealer payloadSealer(DataKeys keys, SubjectIndex subjects, References references, VaultStore store) {
        return new PayloadSealer(keys, subjects, references, store);
    }

    /// Looks once a second for keys that other nodes destroyed.
    @Bean
    KeyWatch keyWatch(DataKeys keys) {
        return new KeyWatch(keys);
    }

    @Bean
    Authority authority(VaultStore store, VaultKeys keys, Environment environment) {
        return new Authority(store, keys, environment.getProperty("vigil.domain", "vigil.local"));
    }

    @Bean
    WorkerPortIdentity workerPortIdentity(Authority authority, InstantSource time, VaultSettings settings) {
        return new WorkerPortIdentity(authority, time, settings);
    }

    @Bean
    Workers workers(VaultStore store, VaultKeys keys) {
        return new Workers(store, keys);
    }

    @Bean
    JoinTokens joinTokens(VaultStore store, MasterKeys masters) {
        return new JoinTokens(store, masters);
    }

    @Bean
    PeerGate peerGate(VaultStore store, Workers workers, Authority authority) {
        return new PeerGate(store, workers, authority.domain());
    }

    @Bean
    LiveCores liveCores(JdbcClient db) {
        return new LiveCores(db, System::nanoTime);
    }

    @Bean
    CoreHints coreHints(LiveCores cores, WorkerPortIdentity identity) {
        return new CoreHints(cores, identity);
    }

    @Bean
    InputSchemas inputSchemas() {
        return new InputSchemas();
    }

    /// What this installation brings along is approved before the first request.
    @Bean
    Handlers handlers(VaultStore store, VaultKeys keys, Environment environment) {
        List<String> approved = Binder.get(environment)
                .bind("vigil.bootstrap.approved-handlers", Bindable.listOf(String.class))
                .orElse(List.of());
        var handlers = new Handlers(store, keys, approved);
        handlers.bootstrap();
        return handlers;
    }

    @Configuration(proxyBeanMethods = false)
    @Import({SubjectRoutes.Work.class, ErasureWork.Means.class})
    static class RoutesConfiguration {
        @Bean
        EnrolmentRoutes enrolmentRoutes(
                Enrolment.Registry registry, Authority authority, VaultSettings settings, CoreHints hints) {
            return new EnrolmentRoutes(new Enrolment(registry, authority, settings), hints::worker);
        }

        @Bean
        Enrolment.Registry registry(VaultStore store, Workers workers, JoinTokens tokens) {
            return new Enrolment.Registry(store, workers, tokens);
        }

        @Bean
        MaterialRoutes materialRoutes(PeerGate peers, Materials materials, Executions executions) {
            return new MaterialRoutes(peers, materials, executions);
        }

        @Bean
        Materials materials(VaultStore store, Executions executions, Handlers handlers, Materials.Keys keys) {
            return new Materials(store, executions, handlers, keys);
        }

        @Bean
        Materials.Keys materialKeys(PayloadSealer sealer, References references) {
            return new Materials.Keys(sealer, references);
        }

        @Bean
        CoreRoutes coreRoutes(PeerGate peers, LiveCores cores, Fleet fleet) {
            return new CoreRoutes(peers, cores, fleet);
        }

        @Bean
        HandlerRoutes handlerRoutes(Handlers handlers, InputSchemas schemas, Cursors cursors) {
            return new HandlerRoutes(handlers, schemas, cursors);
        }

        @Bean
        SecretRoutes secretRoutes(Secrets secrets, Handlers handlers, Tasks tasks, SecretRoutes.Lists lists) {
            return new SecretRoutes(secrets, handlers, tasks, lists);
        }

        @Bean
        SecretRoutes.Lists secretLists(NamespaceNumbers numbers, Cursors cursors) {
            return new SecretRoutes.Lists(new ChosenNamespace(numbers), cursors);
        }

        @Bean
        TokenRoutes tokenRoutes(
                PiiTokens tokens, TokenRoutes.Sealing sealing, VaultStore store, NamespaceNumbers numbers) {
            return new TokenRoutes(tokens, sealing, store.events(), new ChosenNamespace(numbers));
        }

        @Bean
        TokenRoutes.Sealing fieldSealing(SubjectIndex subjects, RowSealer sealer) {
            return new TokenRoutes.Sealing(subjects, sealer);
        }

        @Bean
        Fleet fleet(VaultStore store, Workers workers, CoreHints hints) {
            return new Fleet(store, workers, new WorkerReports(store.db()), hints::worker);
        }

        @Bean
        WorkerRoutes workerRoutes(JoinTokens tokens, Fleet fleet, Cursors cursors, WorkerRoutes.Invitation invitation) {
            return new WorkerRoutes(tokens, fleet, cursors, invitation);
        }

        @Bean
        WorkerRoutes.Invitation invitation(Authority authority, ObjectProvider<WorkerAddress> address) {
            return new WorkerRoutes.Invitation(
                    authority.pin(), () -> address.getObject().url().toString());
        }

        @Bean
        SubjectRequests subjectRequests(VaultStore store, VaultKeys keys) {
            return new SubjectRequests(store, keys);
        }

        @Bean
        Persons persons(SubjectRequests requests, SubjectIndex index, PayloadSealer sealer, Accounts accounts) {
            return new Persons(requests, index, sealer, accounts);
        }

        @Bean
        SubjectTasks subjectTasks(JdbcClient db) {
            return new SubjectTasks(db);
        }

        @Bean
        TombstoneFile tombstoneFile(VaultSettings settings, RootKeys roots) {
            return TombstoneFile.open(settings.tombstones(), roots);
        }

        /// A rotation that a crash cut short goes on before the first request.
        @Bean
        RootKeyRotation rootKeyRotation(
                RootKeys roots, MasterKeys masters, TombstoneFile tombstones, VaultStore store) {
            var rotation = new RootKeyRotation(roots, masters, tombstones, store);
            rotation.resume();
            return rotation;
        }

        @Bean
        RootKeyRoutes rootKeyRoutes(RootKeyRotation rotation) {
            return new RootKeyRoutes(rotation);
        }

        @Bean
        ErasureWork erasureWork(VaultStore store, ErasureWork.Means means) {
            return new ErasureWork(store, means);
        }

        @Bean
        RestoreWatch restoreWatch(VaultStore store, SubjectRequests requests, ErasureWork work) {
            return new RestoreWatch(store, requests, work);
        }

        @Bean
        SubjectErasure subjectErasure(VaultStore store, SubjectRequests requests, Persons persons, ErasureWork work) {
            return new SubjectErasure(store, requests, persons, work);
        }

        @Bean
        SubjectAccess subjectAccess(ErasureWork.Means means, Executions executions, AccountRecords accounts) {
            return new SubjectAccess(means, executions, accounts);
        }

        @Bean
        SubjectRoutes subjectRoutes(
                PeerGate peers, SubjectRequests requests, Persons persons, SubjectRoutes.Work work) {
            return new SubjectRoutes(peers, requests, persons, work);
        }
    }
}
