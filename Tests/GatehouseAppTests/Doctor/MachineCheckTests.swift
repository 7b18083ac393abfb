import GateCore
import GateNet
import Testing

@testable import GatehouseApp

@Suite("Doctor: this machine")
struct MachineCheckTests {
    struct Clock: Sendable {
        var difference: Duration?
        var kernel = KernelClock.synchronized
    }

    static let clocks: [Situation<Clock>] = [
        Situation("right", Clock(difference: .milliseconds(200)), Verdict(.ok, "agrees with acme.example's; a time service keeps it")),
        Situation("30 s ahead", Clock(difference: .seconds(30)), Verdict(.ok, "agrees")),
        Situation(
            "31 s ahead", Clock(difference: .seconds(31)), Verdict(.warning, "31s ahead of acme.example's", "timedatectl set-ntp true")),
        Situation("5 min behind", Clock(difference: .seconds(-300)), Verdict(.warning, "5m behind acme.example's", "timedatectl")),
        Situation("over 5 min behind", Clock(difference: .seconds(-301)), Verdict(.problem, "5m1s behind", "timedatectl")),
        Situation(
            "right by chance", Clock(difference: .zero, kernel: .unsynchronized),
            Verdict(.warning, "nothing keeps it in step", "systemd-timesyncd")),
        Situation("nobody to compare with", Clock(), Verdict(.skipped, "nobody to compare the clock with")),
        Situation(
            "nobody to compare with, and not kept", Clock(kernel: .unsynchronized),
            Verdict(.warning, "Nothing keeps the clock", "systemd-timesyncd")),
        Situation("a kernel that does not say", Clock(difference: .zero, kernel: .unknown), Verdict(.ok, "does not say")),
    ]

    @Test("The clock", arguments: clocks)
    func clock(_ situation: Situation<Clock>) {
        let check = ClockCheck(difference: situation.facts.difference, host: "acme.example", kernel: situation.facts.kernel)
        expect([check.finding()], situation.verdicts)
    }

    static let listeners: [Situation<ListenCheck.Outcome>] = [
        Situation("ours", .ours, Verdict(.ok, "127.0.0.1:80 (listen.http) is listened on by gatehouse")),
        Situation("free", .free, Verdict(.ok, "is free")),
        Situation(
            "taken", .taken(PortHolders.Holder(process: 812, name: "nginx", user: 0)),
            Verdict(.problem, "is taken by nginx (process 812)", "systemctl disable")),
        Situation("taken by somebody", .taken(nil), Verdict(.problem, "is taken by another program")),
        Situation("forbidden", .failed(.notPermitted, ""), Verdict(.problem, "ports below 1024", "CAP_NET_BIND_SERVICE")),
        Situation("no such address", .failed(.addressUnavailable, ""), Verdict(.problem, "no address of this machine", "ip address")),
        Situation("else", .failed(.other, "out of luck"), Verdict(.problem, "out of luck")),
    ]

    @Test("The ports to listen on", arguments: listeners)
    func listen(_ situation: Situation<ListenCheck.Outcome>) {
        let check = ListenCheck(key: "listen.http", address: .tcp(IPAddress("127.0.0.1")!, port: 80), outcome: situation.facts)
        expect([check.finding()], situation.verdicts)
    }

    struct Server: Sendable {
        var state: ServerState
        var trouble: String?
    }

    static let servers: [Situation<Server>] = [
        Situation("runs", Server(state: .running(process: 42)), Verdict(.ok, "gatehouse runs (process 42)")),
        Situation("stopped", Server(state: .stopped), Verdict(.skipped, "the doctor listened in its place")),
        Situation(
            "runs, and does not answer", Server(state: .running(process: 42), trouble: "no answer in time"),
            Verdict(.problem, "(process 42), and cannot be asked: no answer in time", "listen.admin is /run/admin.sock here")),
        Situation(
            "another's", Server(state: .unreadableKey("no permission")),
            Verdict(.warning, "no permission", "the user that owns the data folder")),
    ]

    @Test("The server", arguments: servers)
    func server(_ situation: Situation<Server>) {
        let check = ServerCheck(state: situation.facts.state, trouble: situation.facts.trouble, socket: "/run/admin.sock")
        expect([check.finding()], situation.verdicts)
    }

    struct Folder: Sendable {
        var folder: Result<FileFacts, FileFault> = .success(FileFacts(isFolder: true, owner: 0, mode: 0o700))
        var user: UInt32 = 0
        var room: FreeRoom? = FreeRoom(bytes: 50 << 30, inodes: 1_000_000, countsInodes: true)
        var database = DataFolderCheck.Database.answers
        var exposed: [String] = []
        var clusterKey: DataFolderCheck.ClusterKeyState?
    }

    private static func mode(_ mode: UInt32) -> Result<FileFacts, FileFault> { .success(FileFacts(isFolder: true, owner: 0, mode: mode)) }
    private static let room = Verdict(.ok, "50 GiB are free")
    private static let answers = Verdict(.ok, "The database answers")
    private static let sound = Verdict(.ok, "belongs to root")

    static let folders: [Situation<Folder>] = [
        Situation("all is well", Folder(), sound, room, answers),
        Situation("not there yet", Folder(folder: .failure(FileFault(code: 2))), Verdict(.ok, "is made at the first start")),
        Situation(
            "not to be seen", Folder(folder: .failure(FileFault(code: 13))),
            Verdict(.problem, "Permission denied", "as the user that owns it")),
        Situation(
            "a file", Folder(folder: .success(FileFacts(isFolder: false, owner: 0, mode: 0o600))),
            Verdict(.problem, "is no folder", "data_dir")),
        Situation(
            "others can write", Folder(folder: mode(0o777)),
            Verdict(.problem, "can change what is in /data (mode 0777)", "chmod 0700 /data"), room, answers),
        Situation("others can read", Folder(folder: mode(0o755)), Verdict(.warning, "can look into", "chmod 0700"), room, answers),
        Situation(
            "another's", Folder(user: 4242), Verdict(.problem, "belongs to root, and you are 4242", "sudo -u root gatehouse doctor"), room,
            answers),
        Situation(
            "hardly any room", Folder(room: FreeRoom(bytes: 50 << 20, inodes: 1000, countsInodes: true)),
            sound, Verdict(.problem, "Only 50 MiB are free", "Make room"), answers),
        Situation(
            "little room", Folder(room: FreeRoom(bytes: 500 << 20, inodes: 1_000_000, countsInodes: true)),
            sound, Verdict(.warning, "500 MiB are free"), answers),
        Situation(
            "no inodes", Folder(room: FreeRoom(bytes: 50 << 30, inodes: 3, countsInodes: true)),
            sound, Verdict(.problem, "Only 3 inodes", "df -i"), answers),
        Situation(
            "a file system without inodes", Folder(room: FreeRoom(bytes: 50 << 30, inodes: 0, countsInodes: false)), sound, room, answers),
        Situation(
            "a damaged database", Folder(database: .failing("it is damaged")), sound, room,
            Verdict(.problem, "cannot be used: it is damaged", "backup")),
        Situation(
            "keys for everybody", Folder(exposed: ["/data/secrets.toml", "/data/acme/a.key"]), sound,
            Verdict(.problem, "Others can read /data/secrets.toml and 1 more", "chmod 600 /data/secrets.toml /data/acme/a.key"), room,
            answers),
        Situation(
            "instances share the database", Folder(clusterKey: .file("/data/cluster.key")), sound,
            Verdict(.ok, "further instance needs a copy of this file (mode 0600)"), room, answers),
        Situation(
            "the cluster key is given", Folder(clusterKey: .given), sound, Verdict(.ok, "database.cluster_key"), room, answers),
        Situation(
            "no cluster key", Folder(clusterKey: .missing("/data/cluster.key")), sound,
            Verdict(.warning, "no cluster key yet", "copy its cluster.key to /data/cluster.key"), room, answers),
        Situation(
            "no usable cluster key",
            Folder(clusterKey: .unusable(SecretsError(path: "/data/cluster.key", problem: "holds no cluster key", cure: "copy it again"))),
            sound, Verdict(.problem, "/data/cluster.key holds no cluster key.", "Copy it again."), room, answers),
        Situation("in use", Folder(database: .inUse), sound, room, Verdict(.skipped, "Another process")),
    ]

    @Test("The data folder", arguments: folders)
    func folder(_ situation: Situation<Folder>) {
        let facts = situation.facts
        let check = DataFolderCheck(
            path: "/data", folder: facts.folder, user: facts.user, room: facts.room, database: facts.database,
            exposed: facts.exposed, clusterKey: facts.clusterKey)
        expect(check.findings(), situation.verdicts)
    }
}
