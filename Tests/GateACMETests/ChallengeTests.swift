import GateACME
import Testing
