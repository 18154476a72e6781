#!/usr/bin/perl
# Net::SMPP as an ESME; see scenario.py for what it is told (argv) and what it says (stdout).
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

$| = 1;
my $json    = JSON::PP->new->canonical->utf8;
my $options = $json->decode($ARGV[0]);
my ($deliveries, $ids) = (0, 0);

sub say_event { my ($event, %fields) = @_; print $json->encode({ event => $event, %fields }), "\n" }

my $make = { transceiver => 'new_transceiver', transmitter => 'new_transmitter', receiver => 'new_receiver' };
my $new  = $make->{ $options->{mode} };
my ($smpp, $bound) = Net::SMPP->$new(
    $options->{host},
    port              => $options->{port},
    system_id         => $options->{system_id},
    password          => $options->{password},
    interface_version => 0x34,
    # What wait_pdu meets on its way to an answer.
    handlers          => {
        Net::SMPP::CMD_enquire_link() => sub { $_[0]->enquire_link_resp(seq => $_[1]{seq}) },
        Net::SMPP::CMD_deliver_sm() => \&delivered,
    },
);
die "cannot connect: $!" unless $smpp;
say_event('bound', mode => $options->{mode}, status => $bound->{status}, smsc => $bound->{system_id});
exit 1 if $bound->{status};

sub delivered {
    my ($me, $pdu) = @_;
    $me->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
    $deliveries++;
    my $text = $pdu->{short_message};
    if ($pdu->{esm_class} & 0x3c) {
        my ($id)   = $text =~ /\bid:(\w+)/;
        my ($stat) = $text =~ /\bstat:(\w+)/;
        my $tlv = $pdu->{receipted_message_id};
        $tlv =~ s/\0$// if defined $tlv;
        say_event(
            'receipt',
            id        => $id,
            stat      => $stat,
            text      => $text,
            tlv_id    => $tlv,
            tlv_state => defined $pdu->{message_state} ? ord $pdu->{message_state} : undef,
            source      => $pdu->{source_addr},
            destination => $pdu->{destination_addr},
        );
    }
    else {
        say_event('mo', source => $pdu->{source_addr}, destination => $pdu->{destination_addr}, text => $text);
    }
}

sub submit {
    my ($name, $coding, $esm_class, @octets) = @_;
    my (@ids, @statuses);
    for my $octets (@octets) {
        my $answer = $smpp->submit_sm(
            source_addr_ton => 1, source_addr_npi => 1, source_addr => $options->{source},
            dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $options->{destination},
            registered_delivery => 1, data_coding => $coding, esm_class => $esm_class,
            ref $octets ? (short_message => '', message_payload => $$octets) : (short_message => $octets),
        ) or die 'no answer to submit_sm';
        push @ids,      $answer->{message_id};
        push @statuses, $answer->{status};
    }
    $ids += @ids;
    say_event('submitted', name => $name, ids => \@ids, statuses => \@statuses);
}

if ($options->{mode} ne 'receiver') {
    my ($short, $long, $ucs2) = @$options{qw(short long ucs2)};
    submit('short', $short->{data_coding}, 0, pack 'H*', $short->{octets});
    my @parts = map { pack 'H*', $_ } @{ $long->{parts} };
    my $n     = 0;
    submit('long', $long->{data_coding}, 0x40,
        map { $n++; pack('C6', 5, 0, 3, 78, scalar @parts, $n) . $_ } @parts);
    submit('payload', $long->{data_coding}, 0, \pack('H*', $long->{octets}));
    submit('ucs2', $ucs2->{data_coding}, 0, pack 'H*', $ucs2->{octets});
}

my $alive = $smpp->enquire_link() or die 'no answer to enquire_link';
say_event('enquired', status => $alive->{status});

my $wanted = $options->{mode} eq 'transmitter' ? 0 : $options->{deliveries} || $ids + 1;
while ($deliveries < $wanted) {
    my $pdu = $smpp->read_pdu() or die 'the link is gone';
    my $handler = ${*$smpp}{handlers}{ $pdu->{cmd} };
    $handler ? $handler->($smpp, $pdu) : say_event('unexpected', command => $pdu->{cmd});
}
my $gone = $smpp->unbind() or die 'no answer to unbind';
say_event('unbound', status => $gone->{status});
