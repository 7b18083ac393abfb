import GateACME

/// Where certificates and their orders are kept, and who else is there.
struct CertificateBackend: Sendable {
    let store: any CertificateStore
    let turn: any OrderingTurn
    /// How often to look what other instances have saved; `nil` where there are none.
    let lookInterval: Duration?
    /// Where instances answer each other's challenges; `nil` where there are none.
    let challenges: SharedChallenges?
    /// The folder of an installation that kept its certificates there before.
    let before: FileCertificateStore?

    /// The files of this installation alone.
    static func files(_ configuration: Configuration) -> CertificateBackend {
        CertificateBackend(store: folder(configuration), turn: SoleOrderer(), lookInterval: nil, challenges: nil, before: nil)
    }

    static func folder(_ configuration: Configuration) -> FileCertificateStore {
        FileCertificateStore(folder: configuration.dataDirectory + "/acme")
    }
}
