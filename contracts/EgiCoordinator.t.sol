// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {EgiCoordinator} from "./EgiCoordinator.sol";
import {LocalFaucet} from "./LocalFaucet.sol";
import {RegistryLens} from "./RegistryLens.sol";
import {IEgiCoordinator} from "./interfaces/IEgiCoordinator.sol";
import {IRegistryLens} from "./interfaces/IRegistryLens.sol";
import {World} from "./testing/World.t.sol";

/// @notice What stands around the registry: coordinator, lens, token, faucet.
contract EgiCoordinatorTest is World {
    function test_coordinatorPointsAndNothingElse() public {
        EgiCoordinator coordinator = new EgiCoordinator(
            address(token),
            address(registry),
            address(court),
            address(1),
            address(0),
            address(2)
        );
        require(coordinator.protocolVersion() == 1 && coordinator.registry() == address(registry), "pointers");
        require(coordinator.availability() == address(0) && coordinator.meshes() == address(2), "optional pointers");
        require(coordinator.supportsInterface(type(IEgiCoordinator).interfaceId), "its own interface");
        require(coordinator.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        require(!coordinator.supportsInterface(0xffffffff), "ERC-165 says no to this one");
        vm.expectRevert(abi.encodeWithSelector(IEgiCoordinator.ZeroAddress.selector, "lens"));
        new EgiCoordinator(address(token), address(registry), address(court), address(0), address(0), address(0));
    }

    /// @dev Catches a lens that skips the first or last stake, or reads past the newest.
    function test_lensReadsAnyRange() public {
        RegistryLens lens = new RegistryLens(address(registry));
        _equal(lens.stakes(0, 10).length, 0, "none yet");
        for (uint256 n = 1; n <= 3; ++n) {
            _register(n);
        }
        IRegistryLens.StakeView[] memory views = lens.stakes(2, type(uint64).max);
        require(views.length == 2 && views[0].stakeId == 2 && views[1].stakeId == 3, "from the second on");
        require(views[1].stake.operator == operatorOf(3) && views[1].key.stakeId == 3, "stake and key");
        _equal(lens.stakes(0, 2).length, 1, "ids begin with 1");
        _equal(lens.stakes(4, 1).length, 0, "past the newest");
        IRegistryLens.Network memory network = lens.network();
        require(network.stakeCount == 3 && network.bonded == 3 * uint256(MIN_STAKE), "network");
        require(network.salt == registry.salt() && network.minStake == MIN_STAKE, "network");
    }

    /// @dev Catches a faucet that outlives its chain or gives more than it says.
    function test_faucetIsLocalAndCapped() public {
        LocalFaucet faucet = new LocalFaucet(address(token), 5 ether);
        token.transfer(address(faucet), 100 ether);
        faucet.give(address(7), 5 ether);
        _equal(token.balanceOf(address(7)), 5 ether, "given");
        vm.expectRevert(abi.encodeWithSelector(LocalFaucet.MoreThanPerCall.selector, 5 ether + 1, 5 ether));
        faucet.give(address(7), 5 ether + 1);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(LocalFaucet.NotALocalChain.selector, 1));
        new LocalFaucet(address(token), 5 ether);
    }

    /// @dev Catches tokens burned from another's balance, and a registry that counts what was sent by mistake as a stake's.
    function test_burningAndMistakes() public {
        token.transfer(address(7), 3 ether);
        vm.prank(address(7));
        token.burn(3 ether);
        _equal(token.totalSupply(), 1e27 - 3 ether, "supply");

        _register(1);
        token.transfer(address(registry), 1 ether);
        (uint256 bonded, , , , uint256 burnable) = registry.totals();
        require(bonded == MIN_STAKE && burnable == 1 ether, "nobody's tokens can only burn");
        registry.burn();
        _requireBooks();
    }
}
