package dev.vigil.api.vault;

import java.time.InstantSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// The vault's objects and how they hang together.
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(VaultSettings.class)
public class VaultConfiguration {
    @Bean
    VaultStore vaultStore(JdbcClient db, PlatformTransactionManager transactions, InstantSource time) {
        return new VaultStore(db, new TransactionTemplate(transactions), new VaultEvents(db, transactions), time);
    }

    @Bean
    MasterKeys masterKeys(JdbcClient db, VaultSettings settings) {
        return new MasterKeys(db, RootKeyFile.open(settings.rootKeyFile(), settings.createRootKey()));
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
    PayloadSealer payloadSealer(DataKeys keys, SubjectIndex subjects, VaultStore store) {
        return new PayloadSealer(keys, subjects, store);
    }

    /// Looks once a second for keys that other nodes destroyed.
    @Bean
    KeyWatch keyWatch(DataKeys keys) {
        return new KeyWatch(keys);
    }
}
